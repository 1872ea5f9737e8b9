"""How many units to sell next, and where. Pure.

A venue's curve gives the effective unit price for a quantity: linear between published levels, flat below the
first, nothing beyond the last. Selling q units brings f(q) = q × unit price(q). The next order is the smallest
quantity on the grid of ORDER_QUANTITY_STEP whose f(q) covers what is owed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from coruscant.money import exact, floor_to_step
from pricing.markets import Market
from pricing.quotes import Level, unit_price


@dataclass(frozen=True, slots=True)
class VenueCurve:
    """A venue's last known curve; `fresh` is whether the quote behind it still holds."""

    market: Market
    levels: tuple[Level, ...]
    fresh: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """The grid and the ceiling of an order, in units."""

    step: Decimal
    max_quantity: Decimal


@dataclass(frozen=True, slots=True)
class Choice:
    """An order to send: `quantity` units to `market`, expecting `unit_price` GC a unit."""

    market: Market
    quantity: Decimal
    unit_price: Decimal


def quantity_to_sell(levels: Sequence[Level], *, owed: Decimal, available: Decimal, bounds: Bounds) -> Decimal:
    """The smallest grid quantity whose expected proceeds reach `owed` GC, in units.

    Where no quantity reaches it, the one that brings the most. Never above `available` units, the ceiling, or the
    last published level; zero when less than one step is available.
    """
    with exact():
        ceiling = floor_to_step(min(available, bounds.max_quantity, levels[-1].quantity), bounds.step)
        best, best_proceeds = Decimal(0), Decimal(0)
        for low, high in _rising_spans(levels, ceiling, bounds.step):
            found = _smallest(levels, low, high, owed, bounds.step)
            if found is not None:
                return found
            brings = _proceeds(levels, high)
            if brings > best_proceeds:
                best, best_proceeds = high, brings
        return best


def choose(
    curves: Iterable[VenueCurve], *, owed: Decimal, available: Decimal, bounds: Bounds, avoid: Market | None = None
) -> Choice | None:
    """The next order to send, or None when no venue can take one step.

    The venue with the better unit price for the quantity it needs wins; fresh curves go before stale ones, and on
    a stale curve an order is sized for a quarter of what is owed at most. `avoid` is skipped when another
    venue of the same freshness can take the order.
    """
    candidates = list(curves)
    for fresh in (True, False):
        with exact():
            target = owed if fresh else owed / 4
        chosen = (curve for curve in candidates if curve.fresh is fresh and curve.levels)
        found = (_offer(curve, owed=target, available=available, bounds=bounds) for curve in chosen)
        offers = [offer for offer in found if offer is not None]
        preferred = [offer for offer in offers if offer.market != avoid] or offers
        if preferred:
            return max(preferred, key=lambda offer: (offer.unit_price, offer.market))
    return None


def _offer(curve: VenueCurve, *, owed: Decimal, available: Decimal, bounds: Bounds) -> Choice | None:
    quantity = quantity_to_sell(curve.levels, owed=owed, available=available, bounds=bounds)
    if quantity <= 0:
        return None
    price = unit_price(curve.levels, quantity)
    return None if price is None else Choice(curve.market, quantity, price)


def _proceeds(levels: Sequence[Level], quantity: Decimal) -> Decimal:
    """f(q): what selling `quantity` units is expected to bring, GC, with every digit that could decide an order."""
    if quantity <= levels[0].quantity:
        return quantity * levels[0].unit_price
    for shallow, deep in pairwise(levels):
        if quantity <= deep.quantity:
            width = deep.quantity - shallow.quantity
            rise = (deep.unit_price - shallow.unit_price) * (quantity - shallow.quantity)
            return quantity * (shallow.unit_price * width + rise) / width
    return Decimal(0)


def _rising_spans(levels: Sequence[Level], ceiling: Decimal, step: Decimal) -> Iterator[tuple[Decimal, Decimal]]:
    """Of the grid between each level and the next, in order: from its first quantity to the one that brings most.

    In between f rises: no other quantity there brings as much, and none before brings more.
    """
    first, last = step, floor_to_step(min(levels[0].quantity, ceiling), step)
    if first <= last:
        yield first, last
    for shallow, deep in pairwise(levels):
        first = floor_to_step(shallow.quantity, step) + step
        last = floor_to_step(min(deep.quantity, ceiling), step)
        if first <= last:
            yield first, _bringing_most(shallow, deep, first, last, step)


def _bringing_most(shallow: Level, deep: Level, first: Decimal, last: Decimal, step: Decimal) -> Decimal:
    """The grid quantity in [first, last], between two levels, where f is greatest; of two such the smaller.

    Where deeper is worse, f(q) = q·(p + slope·(q − a)) is a parabola, beyond whose vertex more units bring less money.
    """
    slope = (deep.unit_price - shallow.unit_price) / (deep.quantity - shallow.quantity)
    if slope >= 0:
        return last
    vertex = (shallow.quantity - shallow.unit_price / slope) / 2
    if vertex <= first:
        return first
    below = floor_to_step(vertex, step)
    nearest = below if vertex - below <= below + step - vertex else below + step
    return max(first, min(nearest, last))


def _smallest(levels: Sequence[Level], low: Decimal, high: Decimal, owed: Decimal, step: Decimal) -> Decimal | None:
    """The smallest grid quantity in [low, high], where f rises, with f ≥ owed; found by halving."""
    if _proceeds(levels, high) < owed:
        return None
    left, right = int(low / step), int(high / step)
    while left < right:
        middle = (left + right) // 2
        if _proceeds(levels, middle * step) >= owed:
            right = middle
        else:
            left = middle + 1
    return left * step
