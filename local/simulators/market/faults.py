"""Which order requests fail, and how: seeded random, so the same seed gives the same faults. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """A way in which a market fails an order request."""

    REFUSAL = "refusal"
    """An explicit refusal with 200. A resend of a traded order may be refused as well."""
    REFUSAL_4XX = "refusal_4xx"
    """The same refusal body with 422."""
    ERROR_429 = "error_429"
    """Too many requests: nothing is traded, and the body is not a refusal."""
    ERROR_500 = "error_500"
    ERROR_500_AFTER_TRADING = "error_500_after_trading"
    ERROR_503 = "error_503"
    SLOW = "slow"
    """Trades at once and answers late, perhaps after the caller's time-out."""
    SLOW_BEFORE_TRADING = "slow_before_trading"
    """Trades late and answers then: the caller may have gone, or sent the order again, before it trades."""
    DRIPPING = "dripping"
    """Trades and answers a few bytes at a time, so that a time-out per read never fires."""
    DROPPED_BEFORE_TRADING = "dropped_before_trading"
    DROPPED_AFTER_TRADING = "dropped_after_trading"
    BROKEN_JSON = "broken_json"
    """A 200 with half an answer; nothing is traded."""
    BROKEN_JSON_AFTER_TRADING = "broken_json_after_trading"
    MISMATCH = "mismatch"
    """Trades correctly and reports figures that do not fit the order."""


class Mismatch(StrEnum):
    """Which part of an answer does not fit the order."""

    MORE_THAN_ORDERED = "more_than_ordered"
    NOTHING_TRADED = "nothing_traded"
    NEGATIVE_PROCEEDS = "negative_proceeds"
    NO_PROCEEDS = "no_proceeds"
    NOT_A_NUMBER = "not_a_number"
    WRONG_TYPE = "wrong_type"
    OTHER_REQUEST = "other_request"
    OTHER_SIDE = "other_side"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, seconds for the slow kinds, the variant of a mismatch."""

    kind: Kind
    seconds: float | None = None
    mismatch: Mismatch | None = None

    @classmethod
    def parse(cls, text: str | None) -> "Fault | None":
        """Read `kind`, `kind:seconds` or `mismatch:variant`; None and `none` mean a correct answer.

        Raises ValueError for anything else.
        """
        if text is None or text == "none":
            return None
        name, _, detail = text.partition(":")
        kind = Kind(name)
        if not detail:
            return cls(kind)
        if kind is Kind.MISMATCH:
            return cls(kind, mismatch=Mismatch(detail))
        if kind in _SLOW_KINDS and 0 <= float(detail) <= 3600:
            return cls(kind, seconds=float(detail))
        raise ValueError(f"{kind} takes no {detail!r}")


_SLOW_KINDS = frozenset({Kind.SLOW, Kind.SLOW_BEFORE_TRADING, Kind.DRIPPING})
# A little more than 1: a share divided among kinds may not add up to the last digit.
_ALL = Decimal("1.000000001")
_WEIGHTS = dict.fromkeys(Kind, 1) | {Kind.REFUSAL: 4}


def shares_in_total(total: Decimal, kinds: Iterable[Kind] = Kind) -> dict[Kind, Decimal]:
    """Divide a total share of failing requests among kinds of fault; refusals get four times as much as others."""
    chosen = tuple(kinds)
    weights = sum(_WEIGHTS[kind] for kind in chosen)
    return {kind: total * _WEIGHTS[kind] / weights for kind in chosen}


class FaultPlan:
    """Decides for each delivery of an order request which fault it meets, if any.

    Programmed faults go first: those for the next deliveries, whatever their requestId, then those for the first,
    second, … delivery of every requestId. All others are drawn at random, those for a resend of a traded order too.
    """

    def __init__(
        self,
        shares: Mapping[Kind, Decimal],
        random: Random,
        slow_seconds: tuple[float, float] = (0.5, 12.0),
    ) -> None:
        """Take each kind's share of all requests, 1 in total at most; ValueError otherwise."""
        self._random = random
        self.slow_seconds = slow_seconds
        self.shares: dict[Kind, Decimal] = {}
        self._upcoming: deque[Fault | None] = deque()
        self._by_delivery: tuple[Fault | None, ...] = ()
        self.set_shares(shares)

    def set_shares(self, shares: Mapping[Kind, Decimal]) -> None:
        """Replace the share of every kind; ValueError for a negative one or more than 1 in total."""
        if any(share < 0 for share in shares.values()) or sum(shares.values()) > _ALL:
            raise ValueError("shares of faults are from 0 to 1, and 1 in total at most")
        self.shares = dict(shares)

    def program_next(self, faults: Iterable[Fault | None]) -> None:
        """Replace what happens to the next deliveries, in order; None is a correct answer."""
        self._upcoming = deque(faults)

    def program_deliveries(self, faults: Iterable[Fault | None]) -> None:
        """Replace what happens to the first, second, … delivery of every requestId."""
        self._by_delivery = tuple(faults)

    @property
    def waiting(self) -> int:
        """How many faults programmed for the next deliveries are still to come."""
        return len(self._upcoming)

    def decide(self, delivery: int) -> Fault | None:
        """Decide on the first (1), second (2), … delivery of a requestId."""
        if self._upcoming:
            return self._complete(self._upcoming.popleft())
        if delivery <= len(self._by_delivery):
            return self._complete(self._by_delivery[delivery - 1])
        return self._complete(self._draw())

    def _draw(self) -> Fault | None:
        drawn = Decimal(self._random.random())
        for kind, share in self.shares.items():
            drawn -= share
            if drawn < 0:
                return Fault(kind)
        return None

    def _complete(self, fault: Fault | None) -> Fault | None:
        if fault is None:
            return None
        if fault.kind in _SLOW_KINDS and fault.seconds is None:
            shortest, longest = self.slow_seconds
            # Squared: most slow answers come within a few seconds, some outlast any time-out.
            seconds = shortest + (longest - shortest) * self._random.random() ** 2
            return Fault(fault.kind, seconds=seconds)
        if fault.kind is Kind.MISMATCH and fault.mismatch is None:
            return Fault(fault.kind, mismatch=self._random.choice(tuple(Mismatch)))
        return fault
