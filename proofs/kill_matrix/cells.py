"""The cells of the matrix: a kind of process, a fault, a failpoint, and which time it is reached. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import zip_longest


class Fault(StrEnum):
    """What happens to the process that reaches the failpoint."""

    KILL = "kill"
    """It sends itself SIGKILL. Its parent, if it has one in the service, lives on."""
    KILL_ALL = "kill-all"
    """It is frozen there, then it, its parent and all children are killed."""
    FREEZE = "freeze"
    """It is frozen until a stand-in has completed everything, then it goes on: it must change nothing any more."""


#: Which processes reach a failpoint, by the first part of its name.
ROLES: dict[str, tuple[str, ...]] = {
    "application": ("web",),
    "posting": ("web",),
    "ingest": ("prices",),
    "evaluate": ("risk",),
    "claim": ("risk",),
    "activation": ("risk",),
    "margin_call": ("risk",),
    "margin_call_cleared": ("risk",),
    "margin_notice": ("risk",),
    "margin_notice_ended": ("risk",),
    "recovery": ("risk",),
    "pruning": ("risk",),
    "sell": ("sales",),
    "publish": ("sales",),
    "enqueue": ("prices", "risk", "sales"),
    "restore": ("operator",),
    "release": ("operator",),
    "adoption": ("web",),
    "approval": ("web",),
}
#: Whose failpoints are reached after a restore only: they have a scenario of their own.
OF_A_RESTORE = frozenset({"restore", "release", "adoption", "approval"})
#: Who runs management commands: one process a command, none of the deployment.
OPERATOR = "operator"
TIMES = (1, 2)
#: Each kind of process at work, in a transaction and outside of one.
KILLED_WHOLE = (
    "posting.written",
    "posting.committed",
    "ingest.received",
    "ingest.recorded",
    "claim.written",
    "evaluate.batch_committed",
    "sell.order_committed",
    "sell.answered",
    "sell.written",
    "publish.sent",
    "approval.written",
)
#: Wherever a process holds a lease, a lock or a number that another must take from it.
FROZEN = (
    "ingest.received",
    "evaluate.window_opened",
    "evaluate.marked",
    "sell.order_committed",
    "sell.answered",
    "sell.written",
    "publish.counted",
    "publish.sent",
    "restore.written",
    "restore.committed",
    "release.written",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of the scenario: a fault where a process of a role reaches `failpoint` for the `time`-th time."""

    fault: Fault
    failpoint: str
    time: int
    role: str

    @property
    def is_of_a_restore(self) -> bool:
        """Whether it is played in the scenario of a restore."""
        return self.failpoint.partition(".")[0] in OF_A_RESTORE

    def __str__(self) -> str:
        return f"{self.fault} {self.failpoint}:{self.time}@{self.role}"

    def fits(self, pattern: str) -> bool:
        """Whether a pattern such as `sell.*`, `sell.answered:1` or `freeze *` names this cell."""
        whole = str(self)
        short = whole.removeprefix(f"{Fault.KILL} ")
        names = {whole, short, *(name.partition("@")[0] for name in (whole, short))}
        return any(fnmatchcase(name, pattern) for name in names)


def cells(failpoints: Iterable[str]) -> list[Cell]:
    """All cells: every failpoint, each time, in each role; then whole workers killed; then frozen ones.

    Raises KeyError for a name whose first part is not in ROLES.
    """
    kills = [
        Cell(Fault.KILL, failpoint, time, role)
        for failpoint in failpoints
        for role in ROLES[failpoint.partition(".")[0]]
        for time in TIMES
    ]
    wholes = [Cell(Fault.KILL_ALL, name, 2, role) for name in KILLED_WHOLE for role in ROLES[name.partition(".")[0]]]
    frozen = [Cell(Fault.FREEZE, name, 1, role) for name in FROZEN for role in ROLES[name.partition(".")[0]]]
    return kills + wholes + frozen


def interleaved(cells: Iterable[Cell]) -> list[Cell]:
    """The same cells, one of each role in turn: while some cells wait, others use the processor."""
    by_role: dict[str, list[Cell]] = {}
    for cell in cells:
        by_role.setdefault(cell.role, []).append(cell)
    return [cell for turn in zip_longest(*by_role.values()) for cell in turn if cell is not None]
