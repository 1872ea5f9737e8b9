"""Processes of an earlier run that was killed: identify them for certain, then end them.

A process id alone proves nothing, it may belong to another process by now. So the list that a run keeps also
holds the time at which each process was started, and the boot during which that was.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

LINUX = sys.platform == "linux"


def boot() -> str:
    """Return the id of the machine's present boot, or an empty text where it has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def start_time(pid: int) -> str | None:
    """Return when process `pid` was started, in ticks since boot; None if it is gone, a zombie, or unknowable."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    return None if state in "ZX" else started


def is_alive(pid: int) -> bool:
    """Return whether `pid` is a process that is not a zombie."""
    if LINUX:
        return start_time(pid) is not None
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def runs_command(pid: int, program: str, argument: str) -> bool:
    """Return whether process `pid` runs `program` with `argument` among its arguments."""
    if LINUX:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return False
    else:
        answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        words = answer.stdout.split()
    return bool(words) and Path(words[0]).name == program and argument in words


def end_process(pid: int, steps: Iterable[tuple[signal.Signals, float]]) -> bool:
    """Send each signal in turn, waiting for its seconds, until the process is gone; return whether it is."""
    for number, seconds in steps:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while is_alive(pid):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return True
    return not is_alive(pid)


class ProcessList:
    """The processes of a run, in a file, for the run after it."""

    def __init__(self, path: Path) -> None:
        """Keep the list in `path`."""
        self.path = path

    def write(self, processes: Iterable[tuple[str, int]]) -> None:
        """Replace the list by these names and process ids."""
        entries = [{"name": name, "pid": pid, "started": start_time(pid)} for name, pid in processes]
        unfinished = self.path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps({"boot": boot(), "processes": entries}, indent=1))
        unfinished.replace(self.path)

    def end_leftovers(self) -> list[str]:
        """End every listed process that is still the same one; return their names. Call under the folder's lock."""
        try:
            listed = json.loads(self.path.read_text())
            entries = [(str(entry["name"]), int(entry["pid"]), entry["started"]) for entry in listed["processes"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        if not boot() or listed.get("boot") != boot():
            return []
        left = [(name, pid) for name, pid, started in entries if started and start_time(pid) == started]
        for _name, pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGTERM)
        for _name, pid in left:
            end_process(pid, [(signal.SIGTERM, 5), (signal.SIGKILL, 2)])
        return [name for name, _pid in left]
