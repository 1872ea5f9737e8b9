"""Processes that listen on a port, when another process may take that port first.

Between choosing a free port and listening on it there is time for another process to take it. So code that starts a
server waits here until that server itself listens, and starts it again on another port if it does not get this one.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from local.stack.errors import EmbeddedStackError
from local.stack.ports import accepts_connections, free_port
from local.stack.process import POLL_SECONDS, ChildProcess

PORT_ATTEMPTS = 5
#: What PostgreSQL, Valkey, gunicorn, hypercorn, aiohttp and tornado write when their port is taken.
_TAKEN = re.compile(r"(already|connection) in use", re.IGNORECASE)
_LISTEN = "0A"

Started = TypeVar("Started")


class PortTakenError(EmbeddedStackError):
    """Another process listens on the port that a server was to listen on."""


def listens(process: ChildProcess, port: int) -> bool:
    """Return whether the process or a child of it listens on `port`; where /proc is missing, whether anything does."""
    if process.pid is None or not process.running:
        return False
    try:
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    except OSError:
        return accepts_connections(port)
    listening = {f"socket:[{row[9]}]" for row in rows if row[3] == _LISTEN and row[1].endswith(f":{port:04X}")}
    return bool(listening) and any(listening & _sockets(pid) for pid in _group(process.pid))


def _group(leader: int) -> list[int]:
    """The processes of a process group: every command leads one, and its children are in it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(int(folder.name)) == leader:
                found.append(int(folder.name))
    return found


def _sockets(pid: int) -> set[str]:
    """What the descriptors of a process lead to; nothing for one that has ended."""
    found = set()
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed while we looked
                found.add(str(descriptor.readlink()))
    return found


def check_port(process: ChildProcess, port: int) -> None:
    """Raise PortTakenError if the process has written, since its last start, that its port is taken."""
    if _TAKEN.search(process.log_since_start()):
        raise PortTakenError(f"{process.name} cannot listen: another process has taken port {port}.")


def wait_until_listening(process: ChildProcess, port: int, seconds: float = 60) -> None:
    """Wait until a process that was just started listens on `port`.

    Raises PortTakenError if another process has taken the port, and EmbeddedStackError if the process ends for another
    reason or its time is up. The process is stopped in each of these cases.
    """
    deadline = time.monotonic() + seconds
    try:
        while not listens(process, port):
            _check_start(process, port)
            if time.monotonic() > deadline:
                raise EmbeddedStackError(f"{process.name} did not listen within {seconds:.0f} s.{process.log_tail()}")
            time.sleep(POLL_SECONDS)
    finally:
        if not listens(process, port):
            process.stop()


def _check_start(process: ChildProcess, port: int) -> None:
    running = process.running  # asked first: what it wrote at its end is in the log then
    check_port(process, port)
    if not running:
        code = process.exit_code
        raise EmbeddedStackError(f"{process.name} ended with code {code} at its start.{process.log_tail()}")


def on_a_free_port(start: Callable[[int], Started], choose: Callable[[], int] | None = None) -> Started:
    """Return what `start` makes of a free port; it is called with another one while it raises PortTakenError."""
    choose = choose or free_port
    for _ in range(PORT_ATTEMPTS - 1):
        try:
            return start(choose())
        except PortTakenError:
            continue
    return start(choose())
