"""The best price over time, computed from the quotes of all markets and the guard: pure functions.

The result depends only on the set of quotes, never on the order in which they reached us, how late they did, or how
often. The rules are explained in docs/decisions/0004-timeline-of-the-best-price.md and docs/price-rules.md.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple, TypeVar

from coruscant import money
from pricing.aside import Aside, edges, is_aside
from pricing.guard import Alone, Course, Guard, Guards, Jump, in_force
from pricing.markets import Market
from pricing.quotes import Freshness, PricePoint, Quote, expires_at, holds_until, unit_price


@dataclass(frozen=True, slots=True)
class _Hold:
    """A span [start, end) in which a quote is its market's price; `price` is None beyond its levels."""

    quote: Quote
    price: Decimal | None
    start: datetime
    end: datetime
    alone: Alone = Alone.NO
    confirmed_by: str = ""


class _Pending(NamedTuple):
    """A span [start, end) in which a jump is pending.

    `confirmed` is None if that is still open at the end. `alone`: which way it jumped, if its own market confirmed it.
    """

    quote: Quote
    price: Decimal | None
    start: datetime
    end: datetime
    confirmed: bool | None
    alone: Alone


@dataclass(frozen=True, slots=True)
class _Spans:
    """One market's spans, in order, and when its prices are set aside."""

    market: Market
    aside: Aside
    holds: list[_Hold]
    pending: list[_Pending]

    def edges(self) -> Iterator[datetime]:
        for hold in self.holds:
            yield from (hold.start, hold.end)
        for pending in self.pending:
            yield from (pending.start, pending.end)
        yield from edges(self.aside)

    def at(self, instant: datetime) -> tuple[_Hold | None, _Pending | None]:
        if is_aside(self.aside, self.market, instant):
            return None, None
        return _covering(self.holds, instant), _covering(self.pending, instant)


_Span = TypeVar("_Span", _Hold, _Pending)


def _covering(spans: list[_Span], instant: datetime) -> _Span | None:
    """The span in which an instant lies."""
    begun = bisect_right(spans, instant, key=attrgetter("start"))
    return spans[begun - 1] if begun and instant < spans[begun - 1].end else None


#: All that a point says about the price, without when.
_SAID = attrgetter(*(field.name for field in fields(PricePoint) if field.name not in {"at", "until"}))


def timeline(
    courses: Mapping[Market, Course],
    guards: Guards,
    *,
    drained_to: Mapping[Market, datetime | None],
    freshness: Freshness,
    reference_quantity: Decimal,
    start: datetime,
    end: datetime,
    aside: Aside = (),
) -> tuple[PricePoint, ...]:
    """The best price in [start, end]: one point at `start`, and one wherever anything about it changes.

    The best price is the highest effective sell price of `reference_quantity` units among live quotes that count: none
    of a market whose prices are set `aside` then. A jump that was confirmed in the end counts from when it was sent,
    where that makes the best price higher: no loan is claimed at a price that had been overtaken.
    """
    markets = _spans(courses, drained_to, freshness, reference_quantity, end, aside)
    return tuple(reversed(tuple(_backwards(markets, guards, start, end))))


def latest(
    courses: Mapping[Market, Course],
    guards: Guards,
    *,
    drained_to: Mapping[Market, datetime | None],
    freshness: Freshness,
    reference_quantity: Decimal,
    start: datetime,
    end: datetime,
    aside: Aside = (),
) -> PricePoint:
    """The last point of this timeline; what lies before it is not computed."""
    markets = _spans(courses, drained_to, freshness, reference_quantity, end, aside)
    return next(_backwards(markets, guards, start, end))


def _spans(
    courses: Mapping[Market, Course],
    drained_to: Mapping[Market, datetime | None],
    freshness: Freshness,
    reference_quantity: Decimal,
    end: datetime,
    aside: Aside,
) -> list[_Spans]:
    return [
        _Spans(
            market,
            aside,
            _holds(course, drained_to.get(market), freshness, reference_quantity),
            _pending(course, freshness, reference_quantity, end),
        )
        for market, course in sorted(courses.items())
    ]


def _backwards(markets: Sequence[_Spans], guards: Guards, start: datetime, end: datetime) -> Iterator[PricePoint]:
    """The points in [start, end], the last one first."""
    changes = {edge for spans in markets for edge in spans.edges()} | {guard.holds_from for guard in guards}
    later: PricePoint | None = None
    for instant in [*sorted((edge for edge in changes if start < edge <= end), reverse=True), start]:
        point = _point(instant, [spans.at(instant) for spans in markets], guards)
        if later and _SAID(later) != _SAID(point):
            yield replace(later, until=end)
            end = later.at
        later = point
    assert later is not None  # noqa: S101  (there is one at `start`)
    yield replace(later, until=end)


def effective_at(course: Course, instant: datetime) -> Quote | None:
    """A market's last effective quote at an instant, however old."""
    return next((one.quote for one in reversed(course.effective) if one.start <= instant), None)


def _holds(
    course: Course, drained_to: datetime | None, freshness: Freshness, reference_quantity: Decimal
) -> list[_Hold]:
    """The spans of one market's effective quotes, in order and without overlap."""
    holds = []
    for one, successor in zip(course.effective, [*course.effective[1:], None], strict=True):
        end = holds_until(one.quote, drained_to, freshness)
        if successor is not None:
            end = min(end, successor.start)
        if end > one.start:
            price = unit_price(one.quote.sell, reference_quantity)
            holds.append(_Hold(one.quote, price, one.start, end, one.alone, one.confirmed_by))
    return holds


def _pending(course: Course, freshness: Freshness, reference_quantity: Decimal, until: datetime) -> list[_Pending]:
    """The spans in which one market's jumps are pending, in order and without overlap."""
    found = []
    for jump in course.jumps:
        end = pending_until(jump, freshness)
        confirmed = None if end > until else jump.confirmed and jump.end is not None and jump.end <= until
        if end > jump.quote.sent_at:
            price = unit_price(jump.quote.sell, reference_quantity)
            found.append(_Pending(jump.quote, price, jump.quote.sent_at, end, confirmed, _alone(jump)))
    return found


def pending_until(jump: Jump, freshness: Freshness) -> datetime:
    """When a jump stops being pending: when it is confirmed or replaced, and when it expires at the latest."""
    expiry = expires_at(jump.quote, freshness)
    return expiry if jump.end is None else min(expiry, jump.end)


def _alone(jump: Jump) -> Alone:
    by_its_own = jump.confirmed and jump.by is not None and jump.by.market == jump.quote.market
    return Alone.RISE if by_its_own else Alone.NO


def _point(instant: datetime, markets: Sequence[tuple[_Hold | None, _Pending | None]], guards: Guards) -> PricePoint:
    """The price at an instant from what each market says then."""
    guard = in_force(guards, instant)
    holding = [hold for hold, _waiting in markets if hold is not None]
    disputed, suspect = _dispute(holding, guard)
    counting = _priced(hold for hold in holding if hold not in suspect)
    pending = [
        waiting
        for hold, waiting in markets
        if waiting is not None and waiting.confirmed is None and hold not in suspect
    ]
    known = [hold.price for hold in counting if hold.price is not None]
    lower = min([*known, *(jump.price for jump in pending if jump.price is not None)], default=None)
    if known and not disputed and not pending:
        lower = known[0]
    if known:
        counting = _overtaken(counting, markets, guard)
    price = counting[0].price if counting else None
    return PricePoint(
        at=instant,
        price=price,
        quotes=tuple(hold.quote for hold in counting),
        lower=lower if known and lower != price else None,
        disputed=disputed,
        pending=tuple(jump.quote for jump in pending),
        suspect=tuple(hold.quote for hold in suspect),
        confirmed_by=tuple(hold.confirmed_by for hold in counting),
        guard=guard,
    )


def _priced(holds: Iterable[_Hold]) -> list[_Hold]:
    """Those with the highest price first, those without one last."""
    return sorted(holds, key=lambda hold: (hold.price is not None, hold.price or money.ZERO), reverse=True)


def _dispute(holding: Sequence[_Hold], guard: Guard) -> tuple[bool, list[_Hold]]:
    """Whether the markets are too far apart, and the quotes that do not count then.

    Those of markets that are alone with a jump, if there is a market that is not.
    """
    known = [hold.price for hold in holding if hold.price is not None]
    with money.exact():
        disputed = guard.on and len(known) > 1 and max(known) > min(known) * (1 + guard.dispute)
    suspect = [hold for hold in holding if hold.alone and hold.price is not None] if disputed else []
    return disputed, suspect if len(suspect) < len(known) else []


def _overtaken(
    counting: list[_Hold], markets: Sequence[tuple[_Hold | None, _Pending | None]], guard: Guard
) -> list[_Hold]:
    """Instead of a market's quote the jump to a higher price that was pending then and confirmed in the end.

    Not if its market would be suspect by it.
    """
    found = counting
    for hold, waiting in markets:
        if waiting is None or not waiting.confirmed or waiting.price is None:
            continue
        if hold is not None and (hold not in counting or (hold.price is not None and hold.price >= waiting.price)):
            continue
        jumped = _Hold(waiting.quote, waiting.price, waiting.start, waiting.end, waiting.alone)
        if jumped not in _dispute([jumped, *(one for one in counting if one is not hold)], guard)[1]:
            found = _priced([jumped, *(one for one in found if one is not hold)])
    return found


def successive_lows(points: Sequence[PricePoint]) -> tuple[PricePoint, ...]:
    """The suffix minima of the known prices: for each instant the lowest price at or after it.

    They ascend in time and in price; of equal prices only the latest is kept. The first is the low of the whole window,
    the last is the last point whose price is known. So every loan meets the lowest price since its activation.
    Left out are points with a quote that was too late (prices that an outage delayed liquidate nobody), and those with
    a jump that is still pending: once it is not, the next window covers them.
    """
    found: list[PricePoint] = []
    lowest: Decimal | None = None
    for point in reversed(points):
        if point.price is None or not point.may_claim or any(quote.too_late for quote in point.quotes):
            continue
        if lowest is None or point.price < lowest:
            lowest = point.price
            found.append(point)
    return tuple(reversed(found))
