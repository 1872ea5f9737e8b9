"""The supervisor with processes that only sleep."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.demo.errors import DemoError
from local.demo.supervisor import SHORT_LIVES_BEFORE_GIVING_UP, Supervisor
from local.stack import ChildProcess
from local.stack.leftovers import is_alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


def sleeper(name: str, folder: Path) -> ChildProcess:
    """Describe a process that does nothing for long."""
    return ChildProcess(name, ["sleep", "300"], log_path=folder / f"{name}.log", grace_seconds=2)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """Yield a supervisor of two sleepers, and stop it."""
    made = Supervisor(tmp_path / "processes.json")
    made.start([sleeper("one", tmp_path), sleeper("two", tmp_path)])
    yield made
    made.stop()


def pid_of(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.kept[name].process.pid
    assert pid is not None
    return pid


def look_until_restarted(supervisor: Supervisor, name: str) -> None:
    deadline = time.monotonic() + 10
    while not supervisor.restarts.get(name):
        assert time.monotonic() < deadline
        supervisor.look()
        time.sleep(0.02)


def test_killed_process_is_started_again_and_the_other_goes_on(supervisor: Supervisor) -> None:
    one, two = pid_of(supervisor, "one"), pid_of(supervisor, "two")
    os.kill(one, signal.SIGKILL)
    look_until_restarted(supervisor, "one")
    assert is_alive(pid_of(supervisor, "one"))
    assert pid_of(supervisor, "one") != one
    assert pid_of(supervisor, "two") == two
    assert supervisor.restarts == {"one": 1}


def test_killed_guard_and_process_are_started_again(supervisor: Supervisor) -> None:
    process = supervisor.kept["one"].process
    assert process.guard_pid is not None
    for pid in (process.guard_pid, pid_of(supervisor, "one")):
        os.kill(pid, signal.SIGKILL)
    look_until_restarted(supervisor, "one")
    assert is_alive(pid_of(supervisor, "one"))


def test_process_that_is_killed_again_and_again_is_not_given_up(supervisor: Supervisor) -> None:
    for number in range(SHORT_LIVES_BEFORE_GIVING_UP + 1):
        os.kill(pid_of(supervisor, "one"), signal.SIGKILL)
        deadline = time.monotonic() + 10
        while supervisor.restarts.get("one", 0) <= number:
            assert time.monotonic() < deadline
            supervisor.look()
            time.sleep(0.02)
    assert is_alive(pid_of(supervisor, "one"))


def test_process_that_ends_at_each_start_is_given_up(tmp_path: Path) -> None:
    now = 0.0
    supervisor = Supervisor(tmp_path / "processes.json", clock=lambda: now)
    broken = ChildProcess("broken", ["sh", "-c", "echo no such setting; exit 3"], log_path=tmp_path / "broken.log")
    supervisor.start([broken])
    with pytest.raises(DemoError, match="broken ends at each start, with code 3") as caught:  # noqa: PT012
        for _ in range(100 * SHORT_LIVES_BEFORE_GIVING_UP):
            broken.wait(5)
            supervisor.look()
            now += 0.25
    assert supervisor.restarts == {"broken": SHORT_LIVES_BEFORE_GIVING_UP - 1}
    assert "no such setting" in str(caught.value)


def test_stop_ends_every_process(supervisor: Supervisor) -> None:
    pids = [pid_of(supervisor, "one"), pid_of(supervisor, "two")]
    supervisor.stop()
    assert not any(is_alive(pid) for pid in pids)
    assert supervisor.end_leftovers() == []


def test_next_run_ends_what_is_listed_and_still_alive(tmp_path: Path, supervisor: Supervisor) -> None:
    listed = (tmp_path / "processes.json").read_text()
    supervisor.stop(["one"])
    (tmp_path / "processes.json").write_text(listed)
    assert set(Supervisor(tmp_path / "processes.json").end_leftovers()) == {"two"}


KILLED = """
import sys, time
from pathlib import Path
from local.demo.supervisor import Supervisor
from local.stack import ChildProcess
folder = Path(sys.argv[1])
family = ChildProcess("family", ["sh", "-c", "sleep 300 & sleep 300"], log_path=folder / "log", folder=folder)
Supervisor(folder / "processes.json").start([family])
print(family.pid, family.guard_pid, flush=True)
time.sleep(300)
"""


def test_kill_of_the_supervisor_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        family, guard = (int(word) for word in killed.stdout.readline().split())
        killed.kill()
    deadline = time.monotonic() + 10
    while is_alive(family) or is_alive(guard):
        assert time.monotonic() < deadline
        time.sleep(0.02)
