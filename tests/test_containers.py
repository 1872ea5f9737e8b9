"""The container files, checked without an engine: they agree with the settings, the repository and themselves."""

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from local import processes
from pricing.markets import Market

ROOT = Path(__file__).resolve().parent.parent

#: Credentials, read by boto3 and not by the settings module.
READ_ELSEWHERE = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
#: Only says where the `.env` file is, so it cannot stand in that file.
NOT_IN_THE_FILE = {"DOTENV"}
#: Variables of the stores' own images.
OWN_IMAGES = {"postgres", "redis", "localstack"}


def settings_variables() -> set[str]:
    source = (ROOT / "coruscant" / "settings.py").read_text()
    read = re.findall(r'env\.\w+\(\s*"([A-Z][A-Z0-9_]+)"', source)
    of_each_market = re.findall(r'env\.\w+\(\s*f"\{market\.name\}(_[A-Z_]+)"', source)
    read += [f"{market.name}{suffix}" for suffix in of_each_market for market in Market]
    return set(read) | set(re.findall(r'environ\.get\("([A-Z0-9_]+)"', source))


def example_variables() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return parsed


@pytest.fixture(scope="module")
def dockerfile() -> list[list[str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_example_lists_exactly_the_settings():
    assert set(example_variables()) == (settings_variables() - NOT_IN_THE_FILE) | READ_ELSEWHERE


def test_every_setting_of_the_example_has_a_line_of_comment():
    lines = (ROOT / ".env.example").read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        if line and not line.startswith("#"):
            assert before.startswith("# "), line
            assert not before.startswith("# ---"), line


def test_the_service_starts_on_the_example_alone():
    booted = subprocess.run(
        [
            sys.executable,
            "-c",
            "import django; django.setup(); from django.conf import settings; print(settings.MARKET_URLS['mos_espa'])",
        ],
        cwd=ROOT,
        env={"PATH": os.defpath, "DOTENV": str(ROOT / ".env.example"), "DJANGO_SETTINGS_MODULE": "coruscant.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (booted.returncode, booted.stdout.strip()) == (0, "http://mos-espa:4101"), booted.stderr


def test_compose_sets_only_variables_that_are_read(compose):
    known = settings_variables() | READ_ELSEWHERE
    for name, service in compose["services"].items():
        if name not in OWN_IMAGES:
            assert set(service["environment"]) <= known, name
    named = set(re.findall(r"(?<!\$)\$\{?([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert named <= known


def test_compose_defaults_are_those_of_the_example(compose):
    example = example_variables()
    for variable, value in compose["services"]["web"]["environment"].items():
        name, _, default = value.removeprefix("${").removesuffix("}").partition(":-")
        assert (name, default) == (variable, example[variable])


def test_compose_starts_on_its_defaults_alone(compose):
    environment = {
        name: value.removeprefix("${").removesuffix("}").partition(":-")[2]
        for name, value in compose["services"]["web"]["environment"].items()
    }
    booted = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.defpath, "DOTENV": os.devnull, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert booted.returncode == 0, booted.stderr


def test_all_images_are_pinned(compose, dockerfile):
    for service in compose["services"].values():
        if "build" not in service:
            assert re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?", service["image"]), service["image"]
    stages = [arguments.split() for instruction, arguments in dockerfile if instruction == "FROM"]
    assert [stage[0] for stage in stages[1:]] == ["base"] * len(stages[1:])
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", stages[0][0])


def test_both_images_are_built_from_hashes_and_run_as_no_root(dockerfile):
    targets: dict[str, list[list[str]]] = {}
    for instruction, arguments in dockerfile:
        if instruction == "FROM":
            current = targets.setdefault(arguments.split()[-1], [])
        current.append([instruction, arguments])
    for name in ("service", "simulators"):
        text = "\n".join(" ".join(line) for line in targets[name])
        assert "pip install --require-hashes" in text
        assert [arguments for instruction, arguments in targets[name] if instruction == "USER"] == ["coruscant"]
    assert list(targets)[-1] == "service", "the default target is the service"


def test_compose_builds_targets_that_exist(compose, dockerfile):
    stages = {arguments.split()[-1] for instruction, arguments in dockerfile if instruction == "FROM"}
    assert {service["build"]["target"] for service in compose["services"].values() if "build" in service} <= stages


def test_what_the_dockerfile_copies_exists_and_is_not_ignored(dockerfile):
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source for instruction, arguments in dockerfile if instruction == "COPY" for source in arguments.split()[:-1]
    }
    assert copied == kept
    for source in copied:
        assert (ROOT / source).exists(), source


def test_every_command_runs_something_that_exists(compose):
    commands = [
        service["command"] for service in compose["services"].values() if "build" in service and "command" in service
    ]
    for command in commands:
        words = shlex.split(command[2]) if command[0] == "sh" else command
        for program, argument in itertools.pairwise(words):
            if program == "manage.py":
                assert argument in get_commands(), argument
            if program == "-m":
                assert (ROOT / argument.replace(".", "/") / "__main__.py").is_file(), argument
        assert words[0] in {"python", "celery"}


#: The process behind each of compose's services that is one of the table, and its command there; web runs the image's.
COMMANDS = {
    "web": (processes.WEB, processes.WEB.command("0.0.0.0:4000", "--access-logfile", "-")),
    "beat": (processes.BEAT, processes.BEAT.command("/tmp/celerybeat-schedule")),
    "flower": (processes.FLOWER, processes.FLOWER.command("0.0.0.0", 5555)),
} | {f"worker-{name}": (worker, worker.command(f"{name}@%h")) for name, worker in processes.WORKERS.items()}


def test_the_services_of_compose_are_the_processes_of_the_table(compose, dockerfile):
    (image_command,) = (json.loads(arguments) for instruction, arguments in dockerfile if instruction == "CMD")
    services = {
        name: service
        for name, service in compose["services"].items()
        if service.get("build", {}).get("target") == "service" and name != "setup"
    }
    written = {name: tuple(service.get("command", image_command)) for name, service in services.items()}
    assert written == {name: command for name, (_process, command) in COMMANDS.items()}


def test_compose_gives_every_process_the_time_to_end_that_the_table_gives_it(compose):
    for name, (process, _command) in COMMANDS.items():
        assert compose["services"][name]["stop_grace_period"] == f"{process.grace_seconds}s", name


def test_every_worker_is_asked_for_its_health_by_its_own_name(compose):
    for name in processes.WORKERS:
        check = compose["services"][f"worker-{name}"]["healthcheck"]["test"]
        assert check == ["CMD-SHELL", f"celery -A coruscant inspect ping -d {name}@$$HOSTNAME"]


def test_the_workers_listen_to_every_queue_and_prices_have_one_to_themselves(compose, settings):
    queues = []
    for service in compose["services"].values():
        command = service.get("command", [])
        if "worker" in command:
            queues.append(command[command.index("-Q") + 1].split(","))
    assert sorted(name for listened in queues for name in listened) == sorted(
        q.name for q in settings.CELERY_TASK_QUEUES
    )
    assert ["prices"] in queues


def test_every_dependency_is_waited_for_in_a_way_it_can_meet(compose):
    for name, service in compose["services"].items():
        for dependency, how in service.get("depends_on", {}).items():
            needed = compose["services"][dependency]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in needed, f"{name} waits for {dependency}"
            assert not needed.get("profiles") or service.get("profiles"), f"{name} depends on a profile"
