"""Keeps processes running: one that ends, or is killed, is started again while the others go on.

Honcho ends all processes when one ends. In this demo people kill a worker and watch the others go on.
"""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.demo.errors import DemoError
from local.stack import ChildProcess
from local.stack.leftovers import ProcessList

SHORT_LIFE_SECONDS = 15.0
SHORT_LIVES_BEFORE_GIVING_UP = 6
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
KILLED = (128 + signal.SIGKILL, -signal.SIGKILL)  # the command was; its guard was


@dataclass(slots=True)
class Kept:
    """A process that is to be kept running. `restarts` counts starts after the first."""

    process: ChildProcess
    started_at: float = 0.0
    start_again_at: float | None = None
    short_lives: int = 0
    restarts: int = 0


class Supervisor:
    """Starts processes, starts them again when they end, and stops them all.

    Call `look` often. The processes are listed in a file, so that the next run can end what a killed demo left behind.
    Usually there is nothing, because each process ends with this one (`local/stack/guard.py`).
    """

    def __init__(self, list_path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """List running processes in `list_path`. `clock` returns seconds."""
        self.kept: dict[str, Kept] = {}
        self._list = ProcessList(list_path)
        self._clock = clock

    def end_leftovers(self) -> list[str]:
        """End processes of an earlier run and return their names. Call before the first start."""
        return self._list.end_leftovers()

    def start(self, processes: Sequence[ChildProcess]) -> None:
        """Start these processes and keep them running from now on."""
        for process in processes:
            self.kept[process.name] = Kept(process)
            self._start(self.kept[process.name])

    def look(self) -> list[str]:
        """Start again what has ended and whose pause is over; return the names of those found ended just now.

        Raises DemoError for a process that ends again and again right after its start.
        """
        ended = []
        for name, kept in self.kept.items():
            if kept.process.running:
                continue
            if kept.start_again_at is None:
                ended.append(name)
                kept.start_again_at = self._clock() + self._pause_after(kept)
            elif self._clock() >= kept.start_again_at:
                kept.restarts += 1
                self._start(kept)
        return ended

    def stop(self, names: Sequence[str] | None = None) -> None:
        """Stop these processes, or all, at the same time, and wait until they are gone."""
        chosen = [self.kept[name] for name in (self.kept if names is None else names) if name in self.kept]
        for kept in chosen:
            kept.process.ask_to_stop()
        for kept in chosen:
            kept.process.stop()
            del self.kept[kept.process.name]
        self._write_list()

    @property
    def restarts(self) -> dict[str, int]:
        """How often each process was started again; those that never were are left out."""
        return {name: kept.restarts for name, kept in self.kept.items() if kept.restarts}

    def _pause_after(self, kept: Kept) -> float:
        """Count a short life and return how many seconds to wait before the next."""
        killed = kept.process.exit_code in KILLED  # by a person or a test: no fault of its own
        if killed or self._clock() - kept.started_at >= SHORT_LIFE_SECONDS:
            kept.short_lives = 0
            return FIRST_PAUSE_SECONDS
        kept.short_lives += 1
        if kept.short_lives >= SHORT_LIVES_BEFORE_GIVING_UP:
            name, code = kept.process.name, kept.process.exit_code
            raise DemoError(f"{name} ends at each start, with code {code}.{kept.process.log_tail()}")
        return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (kept.short_lives - 1))

    def _start(self, kept: Kept) -> None:
        kept.start_again_at = None
        kept.started_at = self._clock()
        kept.process.start()
        self._write_list()

    def _write_list(self) -> None:
        processes = [kept.process for kept in self.kept.values() if kept.process.running]
        self._list.write(
            [(process.name, pid) for process in processes for pid in (process.pid, process.guard_pid) if pid]
        )
