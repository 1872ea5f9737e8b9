"""What came of a case, and the table of all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rich import box
from rich.table import Table


@dataclass(slots=True)
class Outcome:
    """One case. Times are None if there was no claim, or no request accepted, any more.

    Counts are of what the markets had traded, and the client had been answered, by then; and of how much of that the
    database knew nothing when it was back.
    """

    case: str
    trades: int = 0
    trades_lost: int = 0
    requests: int = 0
    requests_lost: int = 0
    seconds_without_request: float | None = None
    seconds_without_claim: float | None = None
    operator: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    """What was proved, in sentences."""
    complaints: list[str] = field(default_factory=list)
    """What was not as promised."""
    skipped: str = ""
    """Why it was not played."""

    @property
    def lost(self) -> str:
        """What the database had lost, in words."""
        return (
            f"{self.trades_lost} of {self.trades} trades that the markets had made,"
            f" {self.requests_lost} of {self.requests} requests that were answered"
        )

    @property
    def verdict(self) -> str:
        """Whether all is as promised."""
        if self.skipped:
            return f"not played: {self.skipped}"
        if self.complaints:
            return "BROKEN: " + "; ".join(complaint.partition("\n")[0] for complaint in self.complaints)
        return "ok: " + "; ".join(self.found)


def longest_gap(began: float, back: float, instants: Iterable[float]) -> float | None:
    """The longest time without an instant, from `began` to the first after `back`; None if there is none after it."""
    known = sorted(instants)
    first = next((at for at in known if at > back), None)
    if first is None:
        return None
    times = [began, *(at for at in known if began < at <= back), first]
    return max(later - earlier for earlier, later in pairwise(times))


def table(outcomes: Sequence[Outcome]) -> Table:
    """One row a case."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=True)
    for column in ("case", "lost", "no request for", "no claim for", "what the operator did", "verdict"):
        made.add_column(column)
    for one in outcomes:
        made.add_row(
            one.case, one.lost, _seconds(one.seconds_without_request), _seconds(one.seconds_without_claim),
            "; ".join(one.operator), one.verdict,
        )  # fmt: skip
    return made


def _seconds(seconds: float | None) -> str:
    return "never again" if seconds is None else f"{seconds:.1f} s"
