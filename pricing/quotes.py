"""What the best price was, from the quotes of all markets: pure functions on frozen values.

A market's quotes are ordered by when our queue received them (`sent_at`); the result depends on the set of quotes
only, never on the order, the lateness or the number of times in which they reached us. Prices are GC a unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from coruscant import money
from pricing.markets import Market


@dataclass(frozen=True, slots=True)
class Level:
    """The effective price of one unit (GC) when `quantity` units are traded at once."""

    quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """One price event of one market.

    `market_time` is the market's own time in seconds, comparable within one market only; `sent_at` is when our queue
    received the event; `sell` ascends by quantity; `reference` is the market's event id, else the queue's message
    id. A quote is `too_late` if it was older than the greatest age already when it reached us.
    """

    id: int
    market: Market
    market_time: Decimal
    sent_at: datetime
    sell: tuple[Level, ...]
    reference: str
    too_late: bool = False


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long a quote holds: `max_age` after it was sent, `max_lag` while its queue is not known to be drained."""

    max_age: timedelta
    max_lag: timedelta


@dataclass(frozen=True, slots=True)
class PricePoint:
    """The best price (GC a unit) from the instant `at` on; None = unknown. `quotes` are those alive, the best first.

    `until` is when the next price took over, or the end of the line if none has.
    """

    at: datetime
    price: Decimal | None
    quotes: tuple[Quote, ...]
    until: datetime | None = None

    @property
    def known_price(self) -> Decimal:
        """The price. Raises ValueError if it is not known."""
        if self.price is None:
            raise ValueError("nothing is judged by an unknown price")
        return self.price

    @property
    def applies_before(self) -> datetime:
        """A loan stamped before this instant was active while the price held, so it is judged by it."""
        return self.until or self.at + timedelta(microseconds=1)

    @property
    def correlation_id(self) -> str:
        """The price event behind this price, as `market:reference` of its best quote; empty if it has none."""
        return f"{self.quotes[0].market}:{self.quotes[0].reference}" if self.quotes else ""


@dataclass(frozen=True, slots=True)
class _Hold:
    """A quote stands as its market's price in [start, end)."""

    quote: Quote
    price: Decimal | None
    start: datetime
    end: datetime


def unit_price(curve: Sequence[Level], quantity: Decimal) -> Decimal | None:
    """The price of one unit when `quantity` units are traded: linear between levels, flat below the first.

    None beyond the last level. `curve` ascends by quantity. Between levels the price is rounded down to 24 places.
    """
    if not curve or quantity > curve[-1].quantity:
        return None
    if quantity <= curve[0].quantity:
        return curve[0].unit_price
    for lower, upper in pairwise(curve):
        if quantity == upper.quantity:
            return upper.unit_price
        if quantity < upper.quantity:
            with money.exact():
                rise = (upper.unit_price - lower.unit_price) * (quantity - lower.quantity)
                between = lower.unit_price + rise / (upper.quantity - lower.quantity)
            return money.round_down(between, money.DECIMAL_PLACES)
    return None


def in_order(quotes: Iterable[Quote]) -> list[Quote]:
    """Quotes by the time they were sent; those sent at once by the market's own time."""
    return sorted(quotes, key=lambda quote: (quote.sent_at, quote.market_time, quote.reference, quote.id))


def effective_quotes(quotes: Iterable[Quote], freshness: Freshness) -> list[Quote]:
    """One market's quotes that ever stand as its price, in order.

    A quote whose own time is older than that of the one standing, while that is still fresh, takes no part, and so
    holds back nobody either. An event from the year 9999 thus outranks its market for `max_age` at most.
    """
    standing: list[Quote] = []
    for quote in in_order(quotes):
        if (
            not standing
            or quote.market_time >= standing[-1].market_time
            or quote.sent_at >= standing[-1].sent_at + freshness.max_age
        ):
            standing.append(quote)
    return standing


def expires_at(quote: Quote, freshness: Freshness) -> datetime:
    """The end of a quote's natural life, `max_age` after it was sent."""
    return quote.sent_at + freshness.max_age


def holds_until(quote: Quote, drained_to: datetime | None, freshness: Freshness) -> datetime:
    """When a quote without a successor stops holding.

    It dies of age, if its queue is drained past that instant (`drained_to`); else our own lag would look like a
    silent market, and it holds for `max_lag`. A quote that came too late was never news to us: age decides alone.
    """
    expiry = expires_at(quote, freshness)
    if quote.too_late or (drained_to is not None and drained_to >= expiry):
        return expiry
    return max(expiry, quote.sent_at + freshness.max_lag)


def _by_market(quotes: Iterable[Quote]) -> dict[Market, list[Quote]]:
    found: dict[Market, list[Quote]] = {}
    for quote in quotes:
        found.setdefault(quote.market, []).append(quote)
    return dict(sorted(found.items()))


def current_quotes(quotes: Iterable[Quote], freshness: Freshness) -> dict[Market, Quote]:
    """Each market's last quote that takes part, however old."""
    return {market: effective_quotes(theirs, freshness)[-1] for market, theirs in _by_market(quotes).items()}


def _holds(
    quotes: Iterable[Quote], drained_to: datetime | None, freshness: Freshness, reference_quantity: Decimal
) -> list[_Hold]:
    """The spans in which one market's quotes stand, in order and without overlap."""
    part = effective_quotes(quotes, freshness)
    holds = []
    for quote, successor in zip(part, [*part[1:], None], strict=True):
        end = holds_until(quote, drained_to, freshness)
        if successor is not None:
            end = min(end, successor.sent_at)
        if end > quote.sent_at:
            holds.append(_Hold(quote, unit_price(quote.sell, reference_quantity), quote.sent_at, end))
    return holds


def _best_first(hold: _Hold) -> tuple[bool, Decimal]:
    return (hold.price is not None, hold.price or money.ZERO)


def timeline(
    quotes: Iterable[Quote],
    *,
    drained_to: Mapping[Market, datetime | None],
    freshness: Freshness,
    reference_quantity: Decimal,
    start: datetime,
    end: datetime,
) -> tuple[PricePoint, ...]:
    """The best price in [start, end]: one point at `start`, and one wherever the quotes behind it change.

    `quotes` must include the history that `start` needs: what was sent since `start - max_lag - max_age`.
    The best price is the highest effective sell price of `reference_quantity` units among live quotes.
    """
    per_market = [
        _holds(theirs, drained_to.get(market), freshness, reference_quantity)
        for market, theirs in _by_market(quotes).items()
    ]
    edges = {edge for holds in per_market for hold in holds for edge in (hold.start, hold.end)}
    points: list[PricePoint] = []
    next_hold = [0] * len(per_market)
    for instant in [start, *sorted(edge for edge in edges if start < edge <= end)]:
        alive = []
        for index, holds in enumerate(per_market):
            while next_hold[index] < len(holds) and holds[next_hold[index]].end <= instant:
                next_hold[index] += 1
            if next_hold[index] < len(holds) and holds[next_hold[index]].start <= instant:
                alive.append(holds[next_hold[index]])
        alive.sort(key=_best_first, reverse=True)
        behind = tuple(hold.quote for hold in alive)
        if not points or points[-1].quotes != behind:
            if points:
                points[-1] = replace(points[-1], until=instant)
            points.append(PricePoint(instant, alive[0].price if alive else None, behind, until=end))
    return tuple(points)


def successive_lows(points: Sequence[PricePoint]) -> tuple[PricePoint, ...]:
    """The suffix minima of the known prices: for each instant the lowest price at or after it.

    Ascending in time and in price; of equal prices the latest. The first is the low of the whole window, the last is
    the last point whose price is known. A loan activated within the window is judged only by lows that still held then.
    Where a quote stood that came too late nothing is judged: no liquidation on news from an outage.
    """
    found: list[PricePoint] = []
    lowest: Decimal | None = None
    for point in reversed(points):
        if point.price is None or any(quote.too_late for quote in point.quotes):
            continue
        if lowest is None or point.price < lowest:
            lowest = point.price
            found.append(point)
    return tuple(reversed(found))


def window_start(
    quotes: Iterable[Quote], unevaluated: Iterable[Quote], freshness: Freshness, evaluated_to: datetime | None = None
) -> datetime:
    """Where a sweep must begin to look: at the earliest of the `unevaluated` quotes (at least one), or before it.

    It is moved back to the death of an unevaluated quote's predecessor in its market, since that silence may have been
    hidden by our lag until the successor was drained; and to any death later than `evaluated_to`, the end of the last
    sweep. `quotes` is the history, which includes the unevaluated.
    """
    new = {quote.id for quote in unevaluated}
    instants: list[datetime] = []
    for theirs in _by_market(quotes).values():
        instants += [quote.sent_at for quote in theirs if quote.id in new]
        part = effective_quotes(theirs, freshness)
        for quote, successor in zip(part, [*part[1:], None], strict=True):
            death = expires_at(quote, freshness)
            if successor is not None and successor.sent_at <= death:
                continue
            if (successor is not None and successor.id in new) or (evaluated_to is not None and death > evaluated_to):
                instants.append(death)
    return min(instants)


def newly_confirmed_expiries(
    quotes: Iterable[Quote],
    freshness: Freshness,
    *,
    drained_to: Mapping[Market, datetime | None],
    known_drained_to: Mapping[Market, datetime | None],
) -> list[datetime]:
    """Deaths that are known now and were not at the last sweep, which took our own lag for a living quote.

    `known_drained_to` is how far each feed was known to be drained then. A silence may hide a dip of the other market,
    and nothing else may ever reopen it: the silent market need not send anything that is effective.
    """
    found = []
    for market, theirs in _by_market(quotes).items():
        known, before = drained_to.get(market), known_drained_to.get(market)
        part = effective_quotes(theirs, freshness)
        for quote, successor in zip(part, [*part[1:], None], strict=True):
            death = expires_at(quote, freshness)
            silent = successor is None or successor.sent_at > death
            if silent and known is not None and known >= death and (before is None or before < death):
                found.append(death)
    return found
