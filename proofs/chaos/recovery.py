"""How long it takes from the end of a fault until everything that was under way at that moment has come on. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

MARKETS = ("mos_espa", "black_spire_outpost")


class Aspect(StrEnum):
    """What has to come back."""

    API = "API"
    """It lists loans."""
    PRICES = "prices"
    """Each market has a live current quote that was sent after the end of the fault."""
    EVALUATIONS = "evaluations"
    """Every quote that was not evaluated at the end of the fault has been evaluated."""
    SALES = "sales"
    """Every liquidation that was selling has moved: it is settled, waits for a person, or one of its orders changed."""
    EVENTS = "events"
    """Every event that was not sent is sent."""
    PROCESSES = "processes"
    """Every process and server runs."""


@dataclass(frozen=True, slots=True)
class Look:
    """The books at one moment: `now` by the database's clock.

    `selling` maps each selling liquidation to a word that changes whenever one of its orders does; `unsent` are
    liquidations whose event is not sent; `current_quotes` is when each market's live current quote was sent.
    """

    now: datetime
    selling: Mapping[int, str] = field(default_factory=dict)
    unsent: frozenset[int] = frozenset()
    unevaluated: frozenset[int] = frozenset()
    current_quotes: Mapping[str, datetime] = field(default_factory=dict)


class Recovery:
    """One measurement, begun at the end of a fault. `seconds` has each aspect once it has come back.

    The first look after the end says what was under way: while the books cannot be read, nothing is.
    """

    def __init__(self, ended_at: float) -> None:
        """The fault ended at `ended_at`, in seconds of a steady clock."""
        self.seconds: dict[Aspect, float] = {}
        self._ended_at = ended_at
        self._first: Look | None = None

    @property
    def complete(self) -> bool:
        """Whether everything has come back."""
        return len(self.seconds) == len(Aspect)

    @property
    def longest(self) -> float:
        """Seconds until the last aspect came back, of those that have."""
        return max(self.seconds.values(), default=0.0)

    @property
    def missing(self) -> list[Aspect]:
        """What has not come back."""
        return [aspect for aspect in Aspect if aspect not in self.seconds]

    def see(self, at: float, look: Look | None, *, api: bool, processes: bool) -> None:
        """Take in what is found at `at`; `look` is None while the books cannot be read."""
        found = {Aspect.API: api, Aspect.PROCESSES: processes}
        if look is not None:
            first = self._first = self._first or look
            found[Aspect.SALES] = all(look.selling.get(pk) != word for pk, word in first.selling.items())
            found[Aspect.EVENTS] = not first.unsent & look.unsent
            found[Aspect.EVALUATIONS] = not first.unevaluated & look.unevaluated
            found[Aspect.PRICES] = all(
                market in look.current_quotes and look.current_quotes[market] > first.now for market in MARKETS
            )
        for aspect, back in found.items():
            if back and aspect not in self.seconds:
                self.seconds[aspect] = at - self._ended_at
