"""Nothing outlives the process that started it, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from local.stack import ChildProcess, EmbeddedStack
from local.stack.leftovers import is_alive
from local.stack.tests.conftest import processes_mentioning

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
# A command with a child and a grandchild, as a prefork worker has; they ignore every polite request.
FAMILY = "trap '' TERM INT HUP; sh -c \"trap '' TERM INT HUP; sleep 300; sleep 300\" & sleep 300; sleep 300"


def wait_until_nothing_mentions(text: str, seconds: float = 15) -> None:
    """Wait until no process mentions `text`, and fail if that takes too long."""
    deadline = time.monotonic() + seconds
    while left := processes_mentioning(text):
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.05)


def start_stack_elsewhere(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Run `python -m local.stack` on `folder`; return the process and its MIGRATIONS_DATABASE_URL."""
    command = [sys.executable, "-m", "local.stack", "--folder", str(folder), "--not-durable"]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert parent.stdout is not None
    for line in parent.stdout:
        if line.startswith("export MIGRATIONS_DATABASE_URL="):
            return parent, line.removeprefix("export MIGRATIONS_DATABASE_URL=").strip()
    raise AssertionError("the stack did not start")


def kept_rows(stack: EmbeddedStack) -> int:
    """Return how many rows the table `kept` has."""
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        return len(connection.execute("SELECT id FROM kept").fetchall())


def test_kill_of_the_parent_leaves_nothing_and_the_next_start_works(folder: Path) -> None:
    parent, url = start_stack_elsewhere(folder)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    parent.kill()
    parent.wait()
    with EmbeddedStack(folder=folder, durable=False) as stack:  # at once, while the old servers still end
        assert kept_rows(stack) == 1
    wait_until_nothing_mentions(str(folder))


def test_kill_of_parent_and_guards_together_leaves_nothing(folder: Path) -> None:
    parent, _url = start_stack_elsewhere(folder)
    guards = [int(line.split()[0]) for line in processes_mentioning(str(folder)) if "guard.py" in line]
    assert len(guards) == 3
    parent.send_signal(signal.SIGSTOP)
    for guard in guards:
        os.kill(guard, signal.SIGKILL)
    parent.kill()
    parent.wait()
    wait_until_nothing_mentions(str(folder))
    with EmbeddedStack(folder=folder, durable=False) as stack:
        assert stack.postgres.running


def test_ctrl_c_stops_the_stack(folder: Path) -> None:
    parent, _url = start_stack_elsewhere(folder)
    parent.send_signal(signal.SIGINT)
    assert parent.wait(30) == 0
    assert processes_mentioning(str(folder)) == []


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_descendants_end_with_their_process(how: str, folder: Path) -> None:
    command = ["sh", "-c", FAMILY]
    process = ChildProcess("family", command, log_path=folder / "log", folder=folder, grace_seconds=0.3)
    process.start()
    time.sleep(0.2)
    assert len(processes_mentioning(str(folder))) >= 3
    getattr(process, how)()
    assert processes_mentioning(str(folder)) == []


def test_killed_guard_takes_its_process_along(folder: Path) -> None:
    process = ChildProcess("sleep", ["sleep", "300"], log_path=folder / "log", folder=folder)
    process.start()
    assert process.guard_pid is not None
    os.kill(process.guard_pid, signal.SIGKILL)
    wait_until_nothing_mentions(str(folder))
    process.start()
    assert process.pid is not None
    assert is_alive(process.pid)
    process.stop()
