"""The best price over time, computed from the quotes of all markets: pure functions on frozen values.

A market's quotes are ordered by when our queue received them (`sent_at`). The result depends only on the set of quotes,
never on the order in which they reached us, how late they did, or how often. Prices are in GC a unit. The rules are
explained in docs/decisions/0004-timeline-of-the-best-price.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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

    `market_time` is the market's own time in seconds, comparable within one market only. `sent_at` is when our queue
    received the event. `sell` ascends by quantity. `reference` is the market's event id, or else the queue's message
    id. A quote is `too_late` if it was already older than the maximum age when we received it.
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
    """How long a quote without a successor holds, counted from `sent_at`; see `holds_until`.

    It holds for `max_age`, or for `max_lag` while its queue is not known to be drained.
    """

    max_age: timedelta
    max_lag: timedelta


@dataclass(frozen=True, slots=True)
class PricePoint:
    """The best price (GC a unit) from the instant `at` on; None if it is unknown.

    `quotes` are the live quotes behind it, the best first. `until` is when the next point begins, or the end of the
    timeline for the last point.
    """

    at: datetime
    price: Decimal | None
    quotes: tuple[Quote, ...]
    until: datetime | None = None

    @property
    def known_price(self) -> Decimal:
        """The price. Raises ValueError if it is unknown."""
        if self.price is None:
            raise ValueError("the price is unknown")
        return self.price

    @property
    def applies_before(self) -> datetime:
        """The price applies to an active loan whose `prices_apply_from` is before this instant."""
        return self.until or self.at + timedelta(microseconds=1)

    @property
    def correlation_id(self) -> str:
        """The price event behind this price, as `market:reference` of its best quote; empty if it has none."""
        return f"{self.quotes[0].market}:{self.quotes[0].reference}" if self.quotes else ""


@dataclass(frozen=True, slots=True)
class _Hold:
    """A span [start, end) in which a quote is its market's current quote; `price` is None beyond its levels."""

    quote: Quote
    price: Decimal | None
    start: datetime
    end: datetime


def unit_price(curve: Sequence[Level], quantity: Decimal) -> Decimal | None:
    """The price of one unit when `quantity` units are traded: linear between levels, flat below the first.

    None for a quantity beyond the last level. `curve` ascends by quantity. A price between levels is rounded down to 24
    decimals.
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
    """Quotes in the order they were sent; those sent at the same time by the market's own time."""
    return sorted(quotes, key=lambda quote: (quote.sent_at, quote.market_time, quote.reference, quote.id))


def effective_quotes(quotes: Iterable[Quote], freshness: Freshness) -> list[Quote]:
    """One market's quotes that are its current quote at some time, in order.

    A quote is ignored if its own time is older than that of the current quote while that one is still fresh. An ignored
    quote does not affect later ones. So an event from the year 9999 outranks the others of its market for `max_age` at
    most.
    """
    effective: list[Quote] = []
    for quote in in_order(quotes):
        if (
            not effective
            or quote.market_time >= effective[-1].market_time
            or quote.sent_at >= effective[-1].sent_at + freshness.max_age
        ):
            effective.append(quote)
    return effective


def _with_successors(quotes: Iterable[Quote], freshness: Freshness) -> list[tuple[Quote, Quote | None]]:
    """One market's effective quotes, each with the next one; None after the last."""
    effective = effective_quotes(quotes, freshness)
    return list(zip(effective, [*effective[1:], None], strict=True))


def expires_at(quote: Quote, freshness: Freshness) -> datetime:
    """When a quote reaches the maximum age."""
    return quote.sent_at + freshness.max_age


def holds_until(quote: Quote, drained_to: datetime | None, freshness: Freshness) -> datetime:
    """When a quote without a successor stops being the current quote.

    It expires at the maximum age if its queue is known to be drained past that instant (`drained_to`). Otherwise the
    successor may still be waiting in the queue, so the quote holds for `max_lag`. A quote that was too late always
    expires at the maximum age.
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
    """Each market's last effective quote, however old."""
    return {market: effective_quotes(theirs, freshness)[-1] for market, theirs in _by_market(quotes).items()}


def _holds(
    quotes: Iterable[Quote], drained_to: datetime | None, freshness: Freshness, reference_quantity: Decimal
) -> list[_Hold]:
    """The spans of one market's current quotes, in order and without overlap."""
    holds = []
    for quote, successor in _with_successors(quotes, freshness):
        end = holds_until(quote, drained_to, freshness)
        if successor is not None:
            end = min(end, successor.sent_at)
        if end > quote.sent_at:
            holds.append(_Hold(quote, unit_price(quote.sell, reference_quantity), quote.sent_at, end))
    return holds


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

    `quotes` must include what `start` depends on: all quotes sent since `start - max_lag - max_age`.
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
        live = []
        for index, holds in enumerate(per_market):
            while next_hold[index] < len(holds) and holds[next_hold[index]].end <= instant:
                next_hold[index] += 1
            if next_hold[index] < len(holds) and holds[next_hold[index]].start <= instant:
                live.append(holds[next_hold[index]])
        live.sort(key=lambda hold: (hold.price is not None, hold.price or money.ZERO), reverse=True)
        behind = tuple(hold.quote for hold in live)
        if not points or points[-1].quotes != behind:
            if points:
                points[-1] = replace(points[-1], until=instant)
            points.append(PricePoint(instant, live[0].price if live else None, behind, until=end))
    return tuple(points)


def successive_lows(points: Sequence[PricePoint]) -> tuple[PricePoint, ...]:
    """The suffix minima of the known prices: for each instant the lowest price at or after it.

    They ascend in time and in price; of equal prices only the latest is kept. The first is the low of the whole window,
    the last is the last point whose price is known. So every loan meets the lowest price since its activation.
    A point with a quote that was too late is left out: prices that an outage delayed liquidate nobody.
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


def _expiries(quotes: Iterable[Quote], freshness: Freshness) -> Iterator[tuple[Market, datetime, Quote | None]]:
    """When each effective quote expired before it had a successor: the market, the expiry, the successor if any."""
    for market, theirs in _by_market(quotes).items():
        for quote, successor in _with_successors(theirs, freshness):
            expiry = expires_at(quote, freshness)
            if successor is None or successor.sent_at > expiry:
                yield market, expiry, successor


def window_start(
    quotes: Sequence[Quote], unevaluated: Iterable[Quote], freshness: Freshness, evaluated_to: datetime | None = None
) -> datetime:
    """Where an evaluation must begin: at the earliest of the `unevaluated` quotes (at least one), or before it.

    It begins earlier at the expiry of an unevaluated quote's predecessor in its market, since our lag may have hidden
    the gap between the two. It also begins earlier at any expiry after `evaluated_to`, the end of the last evaluation.
    `quotes` is the history, the unevaluated ones included.
    """
    new = {quote.id for quote in unevaluated}
    instants = [quote.sent_at for quote in quotes if quote.id in new]
    for _market, expiry, successor in _expiries(quotes, freshness):
        if (successor is not None and successor.id in new) or (evaluated_to is not None and expiry > evaluated_to):
            instants.append(expiry)
    return min(instants)


def newly_confirmed_expiries(
    quotes: Iterable[Quote],
    freshness: Freshness,
    *,
    drained_to: Mapping[Market, datetime | None],
    known_drained_to: Mapping[Market, datetime | None],
) -> list[datetime]:
    """The expiries that are certain now and were not at the last evaluation, which still counted the quote as live.

    `known_drained_to` is how far each feed was known to be drained then. The price after such an expiry may be a dip of
    the other market. It must be evaluated now: the market whose quote expired may never send an effective quote again.
    """
    found = []
    for market, expiry, _successor in _expiries(quotes, freshness):
        drained, drained_before = drained_to.get(market), known_drained_to.get(market)
        confirmed_before = drained_before is not None and drained_before >= expiry
        if drained is not None and drained >= expiry and not confirmed_before:
            found.append(expiry)
    return found
