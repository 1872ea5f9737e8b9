"""Market makers: they place orders around a middle price, with a spread and a depth that differ by market."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from local.simulators.market.order_book import UNITS_STEP, ZERO, OrderBook, RestingOrder

MAKERS = 5
ORDERS_PER_MAKER = 6
DEPTH_UNITS = Decimal(120)
TICK = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Makers:
    """How a market's makers quote.

    `half_spread` is how far their best price stays from the middle, and `slope` how much further
    their deepest one does; both are shares of the price.
    """

    half_spread: Decimal
    slope: Decimal

    def quote(self, middle: Decimal, random: Random) -> OrderBook:
        """Place new orders around this price: DEPTH_UNITS on each side in total."""
        return OrderBook(
            bids=self._side(middle, Decimal(-1), random),
            asks=self._side(middle, Decimal(1), random),
        )

    def _side(self, middle: Decimal, sign: Decimal, random: Random) -> tuple[RestingOrder, ...]:
        offers: list[tuple[Decimal, int]] = []
        for _ in range(MAKERS):
            factor = Decimal(random.randint(80, 120)) / 100
            for step in range(ORDERS_PER_MAKER):
                reach = Decimal(step * 100 + random.randint(0, 99)) / (ORDERS_PER_MAKER * 100)
                distance = self.half_spread * factor + self.slope * reach
                price = max(TICK, (middle * (1 + sign * distance)).quantize(TICK))
                offers.append((price, random.randint(60, 140)))
        offers.sort(key=lambda offer: offer[0], reverse=sign < 0)
        return _with_depth(offers)


def _with_depth(offers: list[tuple[Decimal, int]]) -> tuple[RestingOrder, ...]:
    weights = sum(weight for _, weight in offers)
    orders: list[RestingOrder] = []
    left = DEPTH_UNITS
    for price, weight in offers[:-1]:
        units = (DEPTH_UNITS * weight / weights).quantize(UNITS_STEP)
        orders.append(RestingOrder(units, price))
        left -= units
    orders.append(RestingOrder(max(ZERO, left), offers[-1][0]))
    return tuple(orders)
