"""Schemathesis on the committed OpenAPI document, against the running service: every phase, every check."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from proofs.fuzzing.service import ROOT, Service

DOCUMENT = ROOT / "docs" / "openapi.yaml"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
HOOKS = "proofs.fuzzing.contract_checks"
#: An answer that takes longer is a finding.
LONGEST_ANSWER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did and found; `output` is schemathesis's own words."""

    cases: int
    findings: tuple[str, ...]
    phases: dict[str, str]
    output: str


def run_until(service: Service, *, cases: int, examples: int, seed: int) -> Report:
    """Attack again and again, each time by another seed, until so many cases were played or something was found."""
    played, number = 0, seed
    while True:
        report = run(service, examples=examples, seed=number)
        played, number = played + report.cases, number + 1
        if played >= cases or report.findings or not report.cases:
            return replace(report, cases=played)


def run(service: Service, *, examples: int, seed: int | None = None) -> Report:
    """Attack with up to `examples` cases per operation and phase, besides those that the document itself defines."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run", str(DOCUMENT)),
            *("--url", service.url, "--header", f"Authorization: {service.authorization}"),
            *("--max-examples", str(examples), "--continue-on-failure", "--no-color"),
            *("--max-response-time", str(LONGEST_ANSWER_SECONDS), "--request-timeout", "30"),
            *("--suppress-health-check", "all", "--generation-database", "none", "--checks", "all"),
            *("--report-json-path", str(report)),
            *(("--seed", str(seed)) if seed is not None else ()),
        ]
        environment = os.environ | {"SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if not report.exists():
            raise RuntimeError(f"schemathesis did not run:\n{done.stdout}\n{done.stderr}")
        found: dict[str, Any] = json.loads(report.read_text())
    findings = [f"{one['title']}: {one['count']} in {one['operations']}" for one in found["failures"]]
    findings += [f"{one['title']}: {one['count']}" for one in found["errors"]]
    if done.returncode and not findings:
        findings.append(f"schemathesis ended with {done.returncode}")
    phases = {name: phase["status"] for name, phase in (found["phases"] or {}).items()}
    return Report(found["test_cases"]["generated"], tuple(findings), phases, done.stdout)
