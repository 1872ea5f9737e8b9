# Every command of the project. `make help` lists them; each is one or two lines, so read here what it runs.

.DEFAULT_GOAL := help
.PHONY: help venv demo pictures test proofs-quick exactness simulate model fuzz kill-matrix mutants chaos failover bench bench-quick bench-compare lint audit sbom site format \
	migrations schema lock clean
.SUFFIXES:

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/requirements.stamp
CHART_STAMP := .venv/requirements-chart.stamp
UV := $(shell command -v uv 2>/dev/null)

SECONDS ?=
WORKERS ?= 1
WEB ?= 1
BEATS ?= 1
PORT ?= 4000
SEEDS ?= 500
SEED ?=
WITHOUT ?=
TAPE ?=
ONLY ?=
CASES ?=
BODIES ?=
ROUNDS ?=
BASE ?= HEAD
PATCH ?=
ALARMS ?=
INPUTS ?=
COVERAGE ?=
# Tests at a time: each process of them has an embedded stack of its own.
JOBS ?= auto
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --maxprocesses 4 --dist worksteal

# Settings for commands that only read the code: nothing of these addresses is contacted.
CODE_ONLY := DOTENV=.env.example DEBUG=true
MANAGE := $(CODE_ONLY) $(BIN)/python -W ignore manage.py

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP)  ## make .venv from requirements-dev.txt, hashes checked; again only when that changes

$(STAMP): requirements-dev.txt
ifeq ($(UV),)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one: make venv PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || { echo "Making .venv"; $(PYTHON) -m venv .venv; }
	@echo "Installing the dependencies, which takes a minute or two"
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
else
	@test -x $(BIN)/python || { echo "Making .venv"; uv venv --python '>=3.11' .venv; }
	uv pip install --python $(BIN)/python --require-hashes -r requirements-dev.txt
endif
	@touch $@

# What only the tests of the chart need, and is large.
$(CHART_STAMP): requirements-chart.txt | venv
ifeq ($(UV),)
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r $<
else
	uv pip install --python $(BIN)/python --require-hashes -r $<
endif
	@touch $@

demo: venv  ## the whole service on one machine: SECONDS=60 to end with a verdict, WORKERS= WEB= BEATS= PORT=4000
	$(BIN)/python -m local.demo --workers $(WORKERS) --web $(WEB) --beats $(BEATS) --port $(PORT) $(if $(SECONDS),--seconds $(SECONDS))

pictures: venv  ## play a demo and take the pictures of docs/desk.md in a browser meanwhile (needs Chromium)
	$(BIN)/python -m local.demo.pictures

test: venv $(CHART_STAMP)  ## all tests on embedded stacks: JOBS=2 processes; COVERAGE=1 measures branches; proofs-quick has the long ones
	$(PYTEST) $(if $(COVERAGE),--cov --cov-branch --cov-fail-under=90)

proofs-quick: venv  ## a share of every proof below, for each change: some minutes
	$(PYTEST) -m "proof or exactness" --hypothesis-profile longer --durations 15

exactness: venv  ## the proofs that money is exact, with twenty times the examples of `make test`
	$(PYTEST) -m exactness --hypothesis-profile long --timeout 3600

simulate: venv  ## the real services under seeded crashes and faults: SEEDS=500, SEED=7 to print one trace, TAPE=500 to shrink
	$(BIN)/python -W ignore -m proofs.simulation $(if $(TAPE),--tape $(TAPE),$(if $(SEED),--seed $(SEED) --trace,--seeds $(SEEDS)))

model: venv  ## every state of a model of the sale's protocol, with all its rules and without each; WITHOUT=doubt to print one
	$(BIN)/python -m proofs.model $(if $(WITHOUT),--without $(WITHOUT))

kill-matrix: venv  ## real processes killed and frozen at every failpoint: ONLY="sell.* freeze*" for some
	$(BIN)/python -W ignore -m proofs.kill_matrix $(if $(ONLY),--only $(foreach cell,$(ONLY),'$(cell)'))

mutants: venv  ## plant bugs, one at a time, and say who notices each: ONLY="no-fence no-lease" for some of them
	$(BIN)/python -W ignore -m proofs.mutants $(if $(ONLY),--only $(ONLY))

chaos: venv  ## the demo with a nemesis: SECONDS=300 SEED=7 ONLY="web-killed aws-hangs" to choose; ALARMS=1 until each alert fires
	$(BIN)/python -m proofs.chaos --seconds $(or $(SECONDS),300) --seed $(or $(SEED),7) $(if $(ALARMS),--alarms) $(if $(ONLY),--only $(ONLY))

failover: venv  ## the database goes in mid-crash: ONLY="synchronous asynchronous restored full-disk" for some cases
	$(BIN)/python -W ignore -m proofs.failover $(if $(ONLY),--only $(ONLY))

bench: venv  ## measure everything against its yardstick, up to a million loans: ONLY="crash chain" for a part
	$(BIN)/python -W ignore -m benchmarks --scale full $(if $(ONLY),--only $(ONLY))

bench-quick: venv  ## the same in a few minutes, on smaller banks
	$(BIN)/python -W ignore -m benchmarks --scale quick $(if $(ONLY),--only $(ONLY))

bench-compare: venv  ## two commits in turns: BASE=rev, or PATCH=file for one change; ONLY="crash chain", ROUNDS=3
	$(BIN)/python -W ignore -m benchmarks.compare --base $(BASE) $(if $(PATCH),--patch $(PATCH)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY))

fuzz: venv  ## hostile input to the API and all parsers: ONLY="bodies races" for a part, CASES= BODIES= ROUNDS= INPUTS=
	$(BIN)/python -W ignore -m proofs.fuzzing $(ONLY) $(if $(CASES),--cases $(CASES)) $(if $(BODIES),--bodies $(BODIES)) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(INPUTS),--inputs $(INPUTS)) $(if $(SEED),--seed $(SEED))

lint: venv  ## style, types, imports, missing migrations, and docs/openapi.yaml against the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(CODE_ONLY) $(BIN)/mypy .
	$(BIN)/lint-imports
	$(MANAGE) makemigrations --check --dry-run
	@mkdir -p .local
	$(MANAGE) spectacular --validate --fail-on-warn --file .local/openapi.yaml
	@diff -u docs/openapi.yaml .local/openapi.yaml || { echo "docs/openapi.yaml is out of date: make schema"; exit 1; }

site: venv  ## the documents as a site, in .local/site; ends at a link that leads nowhere
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

OSV ?= https://api.osv.dev/v1/query
audit: venv  ## known vulnerabilities of all that is pinned, as OSV knows them; fails as well if OSV cannot be reached
	@said=$$($(BIN)/pip-audit --strict -s osv --osv-url $(OSV) --timeout 5 --disable-pip --require-hashes \
		--progress-spinner off -r requirements.txt -r requirements-simulators.txt 2>&1) && echo "$$said" || { \
		case "$$said" in \
			*"known vulnerabilit"*) echo "$$said"; echo "Not passed: there are known vulnerabilities.";; \
			*) echo "$$said" | tail -n 1; echo "Not passed: OSV cannot be asked, so nothing is known.";; \
		esac; exit 1; }

sbom: venv  ## what is in the service's image, with hashes, as CycloneDX: .local/sbom.json
	@mkdir -p .local
	$(BIN)/cyclonedx-py requirements requirements.txt --output-reproducible --of JSON -o .local/sbom.json

format: venv  ## sort imports and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

migrations: venv  ## write the migrations that the models need
	$(MANAGE) makemigrations

schema: venv  ## write docs/openapi.yaml
	$(MANAGE) spectacular --validate --fail-on-warn --file docs/openapi.yaml

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"
lock:  ## pin requirements*.in, with hashes (needs uv)
	@command -v uv >/dev/null || { echo "uv is needed: https://docs.astral.sh/uv/"; exit 1; }
	$(LOCK) requirements.in --output-file requirements.txt
	$(LOCK) requirements-dev.in --output-file requirements-dev.txt
	$(LOCK) requirements-simulators.in --output-file requirements-simulators.txt
	$(LOCK) requirements-chart.in --output-file requirements-chart.txt

clean:  ## remove the data of demo and tests, caches and reports; .venv stays
	rm -rf .local .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov staticfiles
	find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
