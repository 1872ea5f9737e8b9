"""The container files, checked without an engine: they agree with the settings, the repository and themselves."""

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.core.management import get_commands

from local import processes
from pricing.markets import Market
from tests.compose import read_example, read_services

ROOT = Path(__file__).resolve().parent.parent

#: The owner's address and the containers' network, by compose: not by the settings module.
READ_ELSEWHERE = {"MIGRATIONS_DATABASE_URL", "CONTAINERS_SUBNET"}
#: Only says where the `.env` file is, so it cannot stand in that file.
NOT_IN_THE_FILE = {"DOTENV"}


def settings_variables() -> set[str]:
    source = "".join((ROOT / "coruscant" / name).read_text() for name in ("settings.py", "logging.py"))
    read = re.findall(r'env\.\w+\(\s*"([A-Z][A-Z0-9_]+)"', source)
    of_each_market = re.findall(r'env\.\w+\(\s*f"\{market\.name\}(_[A-Z_]+)"', source)
    read += [f"{market.name}{suffix}" for suffix in of_each_market for market in Market]
    return set(read) | set(re.findall(r'environ\.get\("([A-Z0-9_]+)"', source))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return read_services()


@pytest.fixture(scope="module")
def dockerfile() -> list[list[str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_example_lists_exactly_the_settings():
    assert set(read_example()) == (settings_variables() - NOT_IN_THE_FILE) | READ_ELSEWHERE


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


def built(services):
    """The services whose images are built here, by image; `pull_policy` never, but for the one that builds it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for service in services.values():
        if service["image"].startswith("coruscant-bank-"):
            found.setdefault(service["image"], []).append(service)
    return found


def test_all_images_are_pinned(services, dockerfile):
    for service in services.values():
        if service["image"] not in built(services):
            # In full: Podman of Debian finds no other name, since it searches no registry.
            assert re.fullmatch(r"docker\.io/[a-z]+/[a-z]+:\d+\.\d+(\.\d+)?", service["image"]), service["image"]
    (base,) = {stage.split()[0] for stage in stages(dockerfile)} - {stage.split()[-1] for stage in stages(dockerfile)}
    assert re.fullmatch(r"docker\.io/library/python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)


def test_postgresql_and_valkey_are_those_of_the_tests(services, stack):
    with psycopg.connect(stack.superuser_database_url) as connection:
        tested = connection.execute("SHOW server_version").fetchone()[0].split()[0]
    assert services["postgres"]["image"] == f"docker.io/library/postgres:{tested}"
    with redis.Redis.from_url(stack.valkey.administrator_url()) as valkey:
        assert services["redis"]["image"] == f"docker.io/valkey/valkey:{valkey.info('server')['valkey_version']}"


def stages(dockerfile):
    return [arguments for instruction, arguments in dockerfile if instruction == "FROM"]


def lines_of(stage, dockerfile):
    """The lines of a stage of the Dockerfile."""
    current, found = "", []
    for instruction, arguments in dockerfile:
        current = arguments.split()[-1] if instruction == "FROM" else current
        if current == stage:
            found.append(f"{instruction} {arguments}")
    return found


def test_the_images_are_built_from_hashes_and_hold_no_pip(dockerfile):
    for name, lock in (("service", "requirements.txt"), ("simulators", "requirements-simulators.txt")):
        assert f"FROM build AS build-{name}" in lines_of(f"build-{name}", dockerfile)
        installs = [line for line in lines_of(f"build-{name}", dockerfile) if "pip" in line]
        assert installs == [f"RUN pip --python /opt/venv/bin/python install --require-hashes -r {lock}"]
        image = lines_of(name, dockerfile)
        assert image[0] == f"FROM bare AS {name}"
        assert [line for line in image if line.startswith(("RUN", "ADD"))] == []
        assert all(f"--from=build-{name}" in line for line in image if line.startswith("COPY"))
    assert any("pip uninstall --yes" in line for line in lines_of("bare", dockerfile))
    assert stages(dockerfile)[-1].split()[-1] == "service", "the default target is the service"


def test_every_start_and_probe_finds_its_bytecode(dockerfile):
    """Nothing can write it at run time, and the base image has none."""
    for stage, compiled in (
        ("bare", "-x /tests/ /usr/local/lib/python3.11"),
        ("build-service", "."),
        ("build-simulators", "."),
    ):
        last = [line for line in lines_of(stage, dockerfile) if line.startswith("RUN")][-1]
        assert f"python -m compileall -q {compiled}" in last, stage


def test_the_images_run_as_no_root(dockerfile):
    for name in ("service", "simulators"):
        users = [line for line in lines_of(name, dockerfile) if line.startswith("USER")]
        assert users == ["USER 10001:10001"], "a number, since an engine that must not run root knows no names"
    assert any(line.startswith("HEALTHCHECK") for line in lines_of("service", dockerfile))


def locked(lock):
    """The distributions that a lock file names, each with its version."""
    return dict(re.findall(r"(?m)^([\w.-]+)==([\w.]+)", (ROOT / lock).read_text()))


def test_the_simulators_need_no_more_than_their_own_lock():
    program = """
import sys
import local.simulators.market.__main__, local.simulators.otc.__main__
files = {name.partition(".")[0]: getattr(module, "__file__", None) for name, module in sys.modules.items()}
print(*(name for name, file in files.items() if file and "site-packages" in file))
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    other_names = {"attr": "attrs", "dateutil": "python-dateutil"}
    unasked = {"_distutils_hack", "certifi"}  # of the environment itself, and what botocore takes only if it is there
    used = {other_names.get(name, name).replace("_", "-") for name in set(ran.stdout.split()) - unasked}
    own = locked("requirements-simulators.txt")
    assert {"aiohttp", "boto3"} <= used <= set(own)
    assert own.items() <= locked("requirements-dev.txt").items(), "they are tested with these versions"


def test_each_image_is_built_by_one_service_and_pulled_by_none(services, dockerfile):
    images = built(services)
    assert set(images) == {"coruscant-bank-service", "coruscant-bank-simulators"}
    for image, users in images.items():
        (builder,) = [service for service in users if "build" in service]
        assert builder["build"] == {"context": ".", "target": image.removeprefix("coruscant-bank-")}
        assert builder["pull_policy"] == "build"
        assert all(service["pull_policy"] == "never" for service in users if service is not builder)


def test_what_is_ours_runs_with_a_read_only_root_no_capability_and_bounds(services):
    for users in built(services).values():
        for service in users:
            assert service["read_only"] is True
            assert service["tmpfs"] == ["/tmp:size=64m"]
            assert service["cap_drop"] == ["ALL"]
            assert "cap_add" not in service
            assert service["init"] is True


def test_every_container_has_bounds_rotates_its_log_and_gains_no_privilege(services):
    for name, service in services.items():
        assert service["security_opt"] == ["no-new-privileges"], name
        assert {"mem_limit", "pids_limit"} <= set(service), name
        assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}, name


def test_every_service_is_asked_for_its_health_but_those_that_end(services):
    unasked = [name for name, service in services.items() if service.get("healthcheck", {}).get("disable")]
    assert unasked == ["setup", "log-ins"]
    assert all("test" in service["healthcheck"] for name, service in services.items() if name not in unasked)


def test_every_service_says_how_long_its_end_may_take(services):
    assert [name for name, service in services.items() if "stop_grace_period" not in service] == []


def test_what_the_dockerfile_copies_exists_and_is_not_ignored(dockerfile):
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source
        for instruction, arguments in dockerfile
        if instruction == "COPY" and not arguments.startswith("--from=")
        for source in arguments.split()[:-1]
    }
    assert copied == kept
    for source in copied:
        assert (ROOT / source).exists(), source


def test_every_command_runs_something_that_exists(services):
    ours = [service for users in built(services).values() for service in users]
    commands = [service["command"] for service in ours] + [
        service["entrypoint"] for service in ours if "entrypoint" in service
    ]
    for command in commands:
        words = shlex.split(command[2]) if command[0] == "sh" else command
        for program, argument in itertools.pairwise(words):
            if program == "manage.py":
                assert argument in get_commands(), argument
            if program == "-m":
                assert (ROOT / argument.replace(".", "/") / "__main__.py").is_file(), argument
        assert words[0] in {"python", "celery", "gunicorn"}


#: The process behind each of compose's services that is one of the table, and its command there.
COMMANDS = {
    "web": (processes.WEB, processes.WEB.command("0.0.0.0:4000", "--access-logfile", "-")),
    "beat": (processes.BEAT, processes.BEAT.command("/tmp/celerybeat-schedule")),
    "spare-beat": (processes.BEAT, processes.BEAT.command("/tmp/celerybeat-schedule")),
    "flower": (processes.FLOWER, processes.FLOWER.command("0.0.0.0", 5555)),
} | {f"worker-{name}": (worker, worker.command(f"{name}@%h")) for name, worker in processes.WORKERS.items()}


def test_the_services_of_compose_are_the_processes_of_the_table(services, dockerfile):
    (image_command,) = (json.loads(arguments) for instruction, arguments in dockerfile if instruction == "CMD")
    one_off = {"setup", "log-ins"}
    written = {
        name: tuple(service["command"])
        for name, service in services.items()
        if service["image"] == "coruscant-bank-service" and name not in one_off
    }
    assert written == {name: command for name, (_process, command) in COMMANDS.items()}
    assert tuple(image_command) == written["web"]


def test_compose_gives_every_process_the_time_to_end_that_the_table_gives_it(services):
    for name, (process, _command) in COMMANDS.items():
        assert services[name]["stop_grace_period"] == f"{process.grace_seconds}s", name


def test_podman_compose_is_told_to_stop_all_that_works_before_the_stores():
    (named,) = re.findall("(?m)^    podman-compose stop (.+)$", (ROOT / "docs" / "deploy.md").read_text())
    assert set(named.split()) == set(COMMANDS) | {"proxy"}


def test_workers_and_beats_are_asked_for_their_health_by_the_file_that_they_touch(services):
    for name, (process, _command) in COMMANDS.items():
        if isinstance(process, processes.Worker | processes.Beat):
            heartbeat = services[name]["environment"]["HEARTBEAT_FILE"]
            check = f"find {heartbeat} -mmin -1 | grep -q ."
            assert services[name]["healthcheck"]["test"] == ["CMD-SHELL", check]


def test_the_file_of_a_process_at_work_is_found_and_an_old_or_missing_one_is_not(services, tmp_path):
    heartbeat = tmp_path / "heartbeat"
    check = services["beat"]["healthcheck"]["test"][1].replace("/tmp/heartbeat", str(heartbeat))

    def healthy():
        return subprocess.run(["sh", "-c", check], check=False, stderr=subprocess.DEVNULL).returncode == 0

    assert not healthy()
    heartbeat.touch()
    assert healthy()
    os.utime(heartbeat, (time.time() - 120,) * 2)
    assert not healthy()


def test_what_serves_waits_for_migrations_by_itself_and_for_no_container_that_ends(services):
    """Engines differ in how they wait for a container that has ended, and some cannot."""
    for name, (process, _command) in COMMANDS.items():
        waits = not isinstance(process, processes.Flower | processes.Beat)  # these have no database
        entry = ["sh", "-c", 'python manage.py wait_until_migrated && exec "$@"', "--"]
        assert services[name].get("entrypoint") == (entry if waits else None), name
    conditions = {how["condition"] for service in services.values() for how in service.get("depends_on", {}).values()}
    assert conditions == {"service_healthy"}


def test_the_log_ins_with_a_public_password_exist_beside_the_simulators_only(services, dockerfile):
    assert services["log-ins"]["profiles"] == ["simulators"]
    (mounted,) = services["log-ins"]["volumes"]
    assert mounted.split(":")[0] == "./local/demo"
    assert "accounts.make()" in services["log-ins"]["command"][-1]
    assert not any("local/demo" in " ".join(line) for line in dockerfile)


def test_the_workers_listen_to_every_queue_and_prices_have_one_to_themselves(services, settings):
    queues = []
    for service in services.values():
        command = service["command"] if service["image"] == "coruscant-bank-service" else []
        if "worker" in command:
            queues.append(command[command.index("-Q") + 1].split(","))
    assert sorted(name for listened in queues for name in listened) == sorted(
        q.name for q in settings.CELERY_TASK_QUEUES
    )
    assert ["prices"] in queues


def test_every_dependency_is_waited_for_in_a_way_it_can_meet(services):
    for name, service in services.items():
        for dependency, how in service.get("depends_on", {}).items():
            needed = services[dependency]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in needed, f"{name} waits for {dependency}"
                # Or an engine gives up the whole `up` where a first start is slow. Redis has nothing to prepare.
                assert "start_period" in needed["healthcheck"] or dependency == "redis", dependency
            assert not needed.get("profiles") or service.get("profiles"), f"{name} depends on a profile"
