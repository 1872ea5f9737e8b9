"""What the nemesis did and how long the service took to recover from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from proofs.chaos.faults import EVERY
from proofs.chaos.plan import Round
from proofs.chaos.recovery import Aspect


@dataclass(frozen=True, slots=True)
class Played:
    """One round: its faults, and the seconds of each aspect of recovery.

    `missing` never came back; of the faults `unseen` no operator would find anything in the service's logs.
    """

    faults: Round
    seconds: Mapping[Aspect, float]
    missing: Sequence[Aspect] = ()
    unseen: Sequence[str] = ()

    @property
    def longest(self) -> float:
        """Seconds until everything had come back."""
        return max(self.seconds.values(), default=0.0)


def table(rounds: Sequence[Played]) -> Table:
    """One row a fault: how often alone and in pairs, and the longest recovery of each aspect after it."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("fault", no_wrap=True)
    for column in ("alone", "paired", "all", *Aspect):
        made.add_column(column, justify="right", no_wrap=True)
    for name in EVERY:
        with_it = [one for one in rounds if name in one.faults]
        if not with_it:
            continue
        alone = sum(len(one.faults) == 1 for one in with_it)
        longest = [longest_of([one.seconds.get(aspect, 0.0) for one in with_it]) for aspect in Aspect]
        made.add_row(
            name,
            str(alone),
            str(len(with_it) - alone),
            longest_of([one.longest for one in with_it]),
            *longest,
        )
    return made


def longest_of(seconds: Sequence[float]) -> str:
    """The longest of some times, for a person."""
    return f"{max(seconds, default=0.0):.1f}"


def not_played(asked: Sequence[str], rounds: Sequence[Played]) -> list[str]:
    """The faults that were asked for and there was no time for."""
    played = {name for one in rounds for name in one.faults}
    return [name for name in asked if name not in played]
