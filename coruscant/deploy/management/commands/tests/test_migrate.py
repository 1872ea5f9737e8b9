"""Several migrates at once, and what waits for them: real processes on an empty database."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from proofs.service.copies import drop, fresh_copy

ROOT = Path(__file__).resolve().parents[5]
DATABASE = "migrated_at_once"
WITHIN_SECONDS = 110

pytestmark = pytest.mark.system


@pytest.fixture
def address(stack):
    """The address of an empty database."""
    fresh_copy(stack, database=DATABASE, template="template1")
    yield f"{stack.owner_environment['DATABASE_URL'].rpartition('/')[0]}/{DATABASE}"
    drop(stack, DATABASE)


@pytest.fixture
def manage(address):
    """Starts management commands on that database, or on another."""
    started = []

    def start(*command, database_url=address):
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=os.environ | {"DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


@pytest.mark.timeout(300)
def test_of_three_migrates_at_once_one_migrates_and_two_wait_for_it_and_the_service_waits_for_all(manage, stack):
    service = f"{stack.environment['DATABASE_URL'].rpartition('/')[0]}/{DATABASE}"
    waits = manage("wait_until_migrated", database_url=service)
    assert waits.stdout.readline() == "Waiting: migrations are missing.\n"
    migrates = [manage("migrate", "--noinput") for _number in range(3)]
    outputs = [process.communicate(timeout=WITHIN_SECONDS)[0] for process in migrates]
    assert [process.returncode for process in migrates] == [0, 0, 0], outputs
    assert sorted("Applying " in output for output in outputs) == [False, False, True]
    assert waits.wait(timeout=30) == 0


def test_the_service_waits_for_a_database_that_does_not_answer(manage):
    waits = manage("wait_until_migrated", database_url="postgres://nobody@127.0.0.1:1/nothing")
    assert waits.stdout.readline() == "Waiting: the database does not answer.\n"
    assert waits.poll() is None
