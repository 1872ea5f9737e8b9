"""A book of resting orders, and what an order trades against it. Pure: no clock, nothing random."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Self

DEPTHS = (1, 10, 50, 100)
"""The quantities, in units, at which markets publish effective unit prices."""

PRICE_STEP = Decimal("0.00000001")
PROCEEDS_STEP = Decimal("0.000000000001")
UNITS_STEP = Decimal("0.00000001")
ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """One resting order: so many units at this price per unit."""

    units: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class Fill:
    """What an order traded against the book: units, and their total in GC."""

    units: Decimal
    proceeds: Decimal


@dataclass(frozen=True, slots=True)
class Levels:
    """Effective unit prices (GC) by quantity (units), for selling to and buying from the market."""

    sell: Mapping[int, Decimal]
    buy: Mapping[int, Decimal]


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Resting orders of a market, best price first on both sides."""

    bids: tuple[RestingOrder, ...]
    asks: tuple[RestingOrder, ...]

    @classmethod
    def at_levels(cls, levels: Levels) -> Self:
        """Build the book whose effective unit prices are exactly these."""
        return cls(bids=_orders_behind(levels.sell), asks=_orders_behind(levels.buy))

    def sell(self, units: Decimal, pressure: Decimal = ZERO) -> Fill:
        """Sell into the bids, best first, until done or the book is empty.

        `pressure` is the share by which earlier trades still lower every bid.
        """
        return _walk(self.bids, units, ONE - pressure)

    def levels(self, pressure: Decimal = ZERO, depths: Iterable[int] = DEPTHS) -> Levels:
        """Effective unit prices by quantity, for the quantities this book can fill."""
        wanted = tuple(depths)
        return Levels(
            sell=_effective(self.bids, wanted, ONE - pressure),
            buy=_effective(self.asks, wanted, ONE - pressure),
        )


def _walk(orders: Sequence[RestingOrder], units: Decimal, factor: Decimal) -> Fill:
    left, total = units, ZERO
    for order in orders:
        if order.units >= left:
            total += left * order.price
            left = ZERO
            break
        total += order.units * order.price
        left -= order.units
    # Half-even: a level price that has no finite decimal still adds up to the published total.
    return Fill(units - left, (total * factor).quantize(PROCEEDS_STEP))


def _effective(orders: Sequence[RestingOrder], depths: Sequence[int], factor: Decimal) -> dict[int, Decimal]:
    prices = {}
    for depth in depths:
        fill = _walk(orders, Decimal(depth), factor)
        if fill.units == depth:
            prices[depth] = (fill.proceeds / depth).quantize(PRICE_STEP, rounding=ROUND_DOWN)
    return prices


def _orders_behind(prices: Mapping[int, Decimal]) -> tuple[RestingOrder, ...]:
    orders: list[RestingOrder] = []
    units_before, total_before = ZERO, ZERO
    for depth in sorted(prices):
        units, total = Decimal(depth), prices[depth] * depth
        orders.append(RestingOrder(units - units_before, (total - total_before) / (units - units_before)))
        units_before, total_before = units, total
    return tuple(orders)


@dataclass(slots=True)
class TradeImpact:
    """How far our own selling lowers the bids, and how that wears off.

    `per_unit` is the share of the price that one unit sold takes away; half of what is left wears
    off every `half_life_seconds`; the price is never lowered by more than `limit`.
    """

    per_unit: Decimal = Decimal("0.00001")
    half_life_seconds: Decimal = Decimal(2)
    limit: Decimal = Decimal("0.05")
    _pressure: Decimal = ZERO
    _since: Decimal = ZERO

    def at(self, now: Decimal) -> Decimal:
        """The share by which bids are lowered at this instant (seconds of any steady clock)."""
        if not self._pressure:
            return ZERO
        halves = max(ZERO, now - self._since) / self.half_life_seconds
        if halves > 40:
            self._pressure = ZERO
            return ZERO
        # A float is enough for how much has worn off, to 8 digits: powers of Decimals are slow.
        left = Decimal(f"{0.5 ** float(halves):.8f}")
        return (self._pressure * left).quantize(PRICE_STEP)

    def add(self, units: Decimal, now: Decimal) -> None:
        """Account for units just sold."""
        self._pressure = min(self.limit, self.at(now) + units * self.per_unit)
        self._since = now
