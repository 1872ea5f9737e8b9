"""Which order requests fail: seeded random, so the same seed gives the same faults. Pure."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from random import Random

from local.simulators.market.faults import SLOW_KINDS, USUAL_KINDS, VARIANTS, WORDINGS, Fault, Kind

# A little more than 1: a share divided among kinds may not add up to the last digit.
_ALL = Decimal("1.000000001")
_WEIGHTS = dict.fromkeys(Kind, 1) | {Kind.REFUSAL: 4}


def shares_in_total(total: Decimal, kinds: Iterable[Kind] = USUAL_KINDS) -> dict[Kind, Decimal]:
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

    def decide(self, delivery: int, *, never: Collection[Kind] = ()) -> Fault | None:
        """Decide on the first (1), second (2), … delivery of a requestId.

        Where one of the kinds `never` to happen is drawn, the answer is correct; one that is programmed happens.
        """
        if self._upcoming:
            return self._complete(self._upcoming.popleft())
        if delivery <= len(self._by_delivery):
            return self._complete(self._by_delivery[delivery - 1])
        drawn = self._draw()
        return None if drawn is None or drawn.kind in never else self._complete(drawn)

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
        if fault.kind in SLOW_KINDS and fault.seconds is None:
            shortest, longest = self.slow_seconds
            # Squared: most slow answers come within a few seconds, some outlast any time-out.
            seconds = shortest + (longest - shortest) * self._random.random() ** 2
            return Fault(fault.kind, seconds=seconds)
        choices = VARIANTS.get(fault.kind) or WORDINGS.get(fault.kind)
        if choices and fault.variant is None:
            return Fault(fault.kind, variant=self._random.choice(choices))
        return fault
