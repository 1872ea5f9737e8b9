"""The service in a cell: kept running by a supervisor, with one of its processes armed."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.demo.supervisor import Supervisor
from local.simulators.testing import RunningMarket
from local.stack import ChildProcess, EmbeddedStack
from proofs.kill_matrix.cells import OPERATOR, Cell, Fault
from proofs.service.running_service import ROOT, NotAsPromised, RunningService

#: What an operator sees of a command that was killed or hangs, in place of an exit code.
NO_ANSWER = 128 + signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Mark:
    """Which process reached the failpoint, and when."""

    pid: int
    at: float


class Bank(RunningService):
    """While a scenario waits for anything, ended processes are started again and the cell's fault is injected."""

    #: Longer than the promise, which is counted from the death and not from the step that waits for something.
    patience_seconds = 120

    def __init__(self, stack: EmbeddedStack, markets: list[RunningMarket], cell: Cell, marks: Path) -> None:
        """`marks` is an empty folder of the cell's own."""
        super().__init__(stack, *markets)
        self.supervisor = Supervisor(stack.folder / "kill-matrix.processes.json")
        self.cell = cell
        self.died_at: float | None = None
        #: When the interrupted step of a person was done again; elsewhere it counts when everything is complete.
        self.recovered_at: float | None = None
        self.environment: Mapping[str, str] = {}
        self.victim = ""
        self._marks = marks

    @property
    def armed(self) -> str:
        """The process that is armed."""
        return f"{self.cell.role}-1"

    @property
    def stand_in(self) -> str:
        """The process that does the work of a frozen one."""
        by_another = self.cell.fault is Fault.FREEZE and self.cell.role != OPERATOR  # who runs the command again
        return f"{self.cell.role}-2" if by_another else ""

    @property
    def arming(self) -> dict[str, dict[str, str]]:
        """The environment of the process that is armed, in addition to the service's."""
        fault = "kill" if self.cell.fault is Fault.KILL else "freeze"
        armed = f"{fault} {self.cell.failpoint} {self.cell.time} {self._marks}"
        return {self.armed: {"DJANGO_SETTINGS_MODULE": "proofs.service.settings", "FAILPOINT_SIGNAL": armed}}

    def run(self, processes: list[ChildProcess]) -> None:
        """Start some processes and keep them running."""
        self.supervisor.start(processes)

    def operate(self, *command: str) -> int:
        """Run a management command, armed if the cell says so; returns its exit code, or NO_ANSWER."""
        process = ChildProcess(
            name := f"{OPERATOR}-{1 + sum(known.startswith(OPERATOR) for known in self.processes)}",
            (sys.executable, "manage.py", *command),
            log_path=self.stack.log_folder / f"system-{name}.log",
            environment={**self.environment, **(self.arming[self.armed] if self.cell.role == OPERATOR else {})},
            folder=ROOT,
        )
        self.processes[name] = process
        process.start()
        self.eventually(
            lambda: not process.running or (process.pid and is_frozen(process.pid)), f"manage.py {command[0]} ends"
        )
        if process.running:
            return NO_ANSWER
        return NO_ANSWER if (code := process.exit_code) is None else code

    def look(self) -> None:
        """Start again what has ended, and complete the fault once the failpoint is reached."""
        self.supervisor.look()
        if self.died_at is None and (mark := self.mark(self.cell.time)):
            self.died_at = mark.at
            process = self.processes[self.armed]
            itself = mark.pid == process.pid or self.cell.role == OPERATOR
            self.victim = f"{self.armed}, {'the process itself' if itself else 'a child'}"
            if self.cell.fault is Fault.KILL_ALL:
                process.kill()
                self.died_at = time.time()
                self.victim = f"{self.armed} with all children"
            elif self.stand_in:
                self.supervisor.start([self.processes[self.stand_in]])

    def mark(self, number: int) -> Mark | None:
        """The mark of the first, second, … time that the failpoint was reached."""
        try:
            pid, at = (self._marks / str(number)).read_text().split()
        except (FileNotFoundError, ValueError):  # not yet, or not yet written
            return None
        return Mark(int(pid), float(at))

    def thaw(self) -> None:
        """Let the frozen process go on. Raises NotAsPromised if it is not frozen any more."""
        mark = self.mark(self.cell.time)
        if mark is None or not is_frozen(mark.pid):
            raise NotAsPromised("the frozen process was not kept frozen")
        os.kill(mark.pid, signal.SIGCONT)

    def end(self) -> None:
        """Kill every process: a cell is over, and nobody waits for its polls to end."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()


def is_frozen(pid: int) -> bool:
    """Whether a process is stopped by a signal."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):  # it ends just now
        return False
