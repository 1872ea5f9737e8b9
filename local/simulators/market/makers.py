"""Market makers: who rests orders around a middle price, tighter or deeper by market."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from local.simulators.market.order_book import UNITS_STEP, ZERO, OrderBook, Rung

MAKERS = 5
RUNGS_PER_MAKER = 6
DEPTH_UNITS = Decimal(120)
TICK = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Makers:
    """The character of a market's makers.

    `half_spread` is how far their best price stays from the middle, and `slope` how much further
    their deepest one does; both are shares of the price.
    """

    half_spread: Decimal
    slope: Decimal

    def quote(self, middle: Decimal, dice: Random) -> OrderBook:
        """Rest fresh orders around this price, in all DEPTH_UNITS on each side."""
        return OrderBook(
            bids=self._side(middle, Decimal(-1), dice),
            asks=self._side(middle, Decimal(1), dice),
        )

    def _side(self, middle: Decimal, sign: Decimal, dice: Random) -> tuple[Rung, ...]:
        offers: list[tuple[Decimal, int]] = []
        for _ in range(MAKERS):
            mood = Decimal(dice.randint(80, 120)) / 100
            for step in range(RUNGS_PER_MAKER):
                reach = Decimal(step * 100 + dice.randint(0, 99)) / (RUNGS_PER_MAKER * 100)
                distance = self.half_spread * mood + self.slope * reach
                price = max(TICK, (middle * (1 + sign * distance)).quantize(TICK))
                offers.append((price, dice.randint(60, 140)))
        offers.sort(key=lambda offer: offer[0], reverse=sign < 0)
        return _with_depth(offers)


def _with_depth(offers: list[tuple[Decimal, int]]) -> tuple[Rung, ...]:
    weights = sum(weight for _, weight in offers)
    rungs: list[Rung] = []
    left = DEPTH_UNITS
    for price, weight in offers[:-1]:
        units = (DEPTH_UNITS * weight / weights).quantize(UNITS_STEP)
        rungs.append(Rung(units, price))
        left -= units
    rungs.append(Rung(max(ZERO, left), offers[-1][0]))
    return tuple(rungs)
