"""What the markets pay for so many units at once, from their curves. Pure; GC, units.

A curve says what one unit brings when a quantity is sold at once. Between two levels, the units beyond the first bring
what both quantities say together: (q2·p2 - q1·p1) / (q2 - q1) each. That makes steps like those of an order book. The
steps of all markets are taken from the dearest on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from coruscant import money
from coruscant.money import ZERO
from pricing.quotes import Level, unit_price


@dataclass(frozen=True, slots=True)
class Depth:
    """Steps of [quantity, GC a unit], the dearest first."""

    steps: tuple[Level, ...]

    @property
    def units(self) -> Decimal:
        """How many units the markets take at once."""
        with money.exact():
            return sum((step.quantity for step in self.steps), ZERO)

    def average(self, units: Decimal) -> Decimal:
        """What one of so many units brings on the average, GC, rounded down.

        More than the markets take at once are sold in rounds. Each round takes the whole depth, so its average holds
        for all of them. The depth must not be empty.
        """
        with money.exact():
            sold = min(units, self.units) or self.steps[0].quantity
            left, brought = sold, ZERO
            for step in self.steps:
                taken = min(left, step.quantity)
                left, brought = left - taken, brought + taken * step.unit_price
            return money.round_down(brought / sold, money.DECIMAL_PLACES)


def depth_at(curves: Iterable[Sequence[Level]], price: Decimal, reference_quantity: Decimal) -> Depth:
    """The depth of all markets together, scaled so that their best price of the reference quantity is `price`.

    Empty if no curve has a price of that quantity.
    """
    known = list(curves)
    best = max((found for curve in known if (found := unit_price(curve, reference_quantity))), default=None)
    if best is None:
        return Depth(())
    steps = [step for curve in known for step in _steps(curve)]
    with money.exact():
        scaled = [
            Level(step.quantity, money.round_down(step.unit_price * price / best, money.DECIMAL_PLACES))
            for step in steps
        ]
    paying = (step for step in scaled if step.unit_price > 0)
    return Depth(tuple(sorted(paying, key=lambda step: step.unit_price, reverse=True)))


def _steps(curve: Sequence[Level]) -> Iterator[Level]:
    """A market's steps in order. One that would pay more than the one before pays as much; none pays nothing."""
    start = Level(ZERO, ZERO)
    lowest: Decimal | None = None
    for shallow, deep in pairwise((start, *curve)):
        with money.exact():
            quantity = deep.quantity - shallow.quantity
            pays = (deep.quantity * deep.unit_price - shallow.quantity * shallow.unit_price) / quantity
        lowest = pays if lowest is None else min(lowest, pays)
        if lowest <= 0:
            return
        yield Level(quantity, lowest)
