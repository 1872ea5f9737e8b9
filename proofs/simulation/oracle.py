"""What the best price was, computed anew and as simply as possible from what the markets published. Pure.

It shares no code with `pricing`: every span between two instants at which anything changes is looked at by itself, from
all quotes. It is slow, and it is meant to be obviously right. The guard is the one that the service comes with.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise, product

MAX_AGE = timedelta(seconds=60)
MAX_LAG = timedelta(seconds=120)
JUMP, AGREEMENT, DISPUTE = Decimal("0.40"), Decimal("0.10"), Decimal("0.25")


@dataclass(frozen=True, slots=True)
class Heard:
    """A price event that the service has received: its price for one unit in GC, and what orders it.

    Its other levels are assumed to move with that price.
    """

    market: str
    price: Decimal
    sent_at: datetime
    own_time: Decimal
    reference: str
    too_late: bool


@dataclass(frozen=True, slots=True)
class Span:
    """The best price in [start, end), and the one by which loans are activated and margin calls cleared.

    The best price does not apply where a current quote came too late, or while a jump is still pending.
    """

    start: datetime
    end: datetime
    price: Decimal | None
    applies: bool
    cautious: Decimal | None = None


@dataclass(slots=True)
class Believed:
    """A quote that is its market's price from an instant on; `alone`: no other market bears its level out."""

    one: Heard
    since: datetime
    rose: bool = False
    alone: bool = False


@dataclass(slots=True)
class Doubted:
    """A jump: doubted until it is settled, confirmed or not, and by its own market only or not."""

    one: Heard
    against: Heard
    until: datetime
    confirmed: bool = False
    alone: bool = False
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Out:
    """People set a market's prices aside in [start, end)."""

    market: str
    start: datetime
    end: datetime


def _is_out(outs: Sequence[Out], market: str, at: datetime) -> bool:
    return any(one.market == market and one.start <= at < one.end for one in outs)


def replay(heard: Iterable[Heard], market: str, outs: Sequence[Out] = ()) -> tuple[list[Believed], list[Doubted]]:
    """What one market's price was, and which of its quotes were doubted for a time."""

    def speaks(one: Heard, now: datetime) -> bool:
        return not _is_out(outs, one.market, one.sent_at) and not _is_out(outs, one.market, now)

    def both_speak(earlier: Heard, later: Heard) -> bool:
        return speaks(earlier, later.sent_at) and speaks(later, later.sent_at)

    believed: list[Believed] = []
    doubted: list[Doubted] = []
    others: dict[str, Heard] = {}
    previous: Heard | None = None
    waiting: Doubted | None = None
    for one in sorted(heard, key=lambda one: (one.sent_at, one.own_time, one.reference)):
        now = one.sent_at
        if one.market != market:
            others[one.market] = one
            if waiting and speaks(one, now) and _goes_as_far(one, waiting):
                _settle(waiting, now, confirmed=True)
                believed.append(Believed(waiting.one, now))
                waiting = None
            continue
        before, previous = previous, one
        if believed and one.own_time < believed[-1].one.own_time and now < believed[-1].one.sent_at + MAX_AGE:
            continue
        if (
            waiting
            and one.own_time > waiting.one.own_time
            and both_speak(waiting.one, one)
            and _goes_as_far(one, waiting)
        ):
            _settle(waiting, now, confirmed=True, alone=True)
            believed.append(Believed(waiting.one, now, rose=_rose(waiting), alone=True))
            waiting = None
        if waiting:
            _settle(waiting, now, confirmed=False)
            waiting = None
        if not believed:
            believed.append(Believed(one, now))
        elif not _far(believed[-1].one.price, one.price, JUMP):
            last = believed[-1]
            alone = last.alone and not any(
                _bears_out(other, one, rose=last.rose)
                for other in others.values()
                if now < other.sent_at + MAX_AGE and speaks(other, now)
            )
            believed.append(Believed(one, now, last.rose, alone))
        elif (
            before
            and one.own_time > before.own_time
            and both_speak(before, one)
            and not _far(before.price, one.price, AGREEMENT)
        ):
            believed.append(Believed(one, now, one.price > believed[-1].one.price, alone=True))
        else:
            waiting = Doubted(one, believed[-1].one, now + MAX_AGE)
            doubted.append(waiting)
            fresh = [other for other in others.values() if now < other.sent_at + MAX_AGE and speaks(other, now)]
            if any(_goes_as_far(other, waiting) for other in fresh):
                _settle(waiting, now, confirmed=True)
                believed.append(Believed(one, now))
                waiting = None
    return believed, doubted


def _settle(jump: Doubted, at: datetime, *, confirmed: bool, alone: bool = False) -> None:
    jump.until, jump.confirmed, jump.alone, jump.settled = min(jump.until, at), confirmed, alone, True


def _far(before: Decimal, after: Decimal, share: Decimal) -> bool:
    with localcontext(prec=120):
        return abs(after - before) > share * before


def _rose(jump: Doubted) -> bool:
    return jump.one.price > jump.against.price


def _goes_as_far(one: Heard, jump: Doubted) -> bool:
    with localcontext(prec=120):
        if _rose(jump):
            return one.price >= jump.one.price * (1 - AGREEMENT)
        return one.price <= jump.one.price * (1 + AGREEMENT)


def _bears_out(other: Heard, one: Heard, *, rose: bool) -> bool:
    if not _apart([other.price, one.price]):
        return True
    with localcontext(prec=120):
        return other.price >= one.price * (1 - AGREEMENT) if rose else other.price <= one.price * (1 + AGREEMENT)


def _apart(prices: Sequence[Decimal]) -> bool:
    with localcontext(prec=120):
        return len(prices) > 1 and max(prices) > min(prices) * (1 + DISPUTE)


@dataclass(frozen=True, slots=True)
class _Said:
    """What one market says at an instant: its price if it lives, whether it is alone with it, and its doubted jump."""

    price: Decimal | None
    alone: bool
    too_late: bool
    jump: Doubted | None


def spans(
    heard: Iterable[Heard], drained_to: Mapping[str, datetime], until: datetime, outs: Sequence[Out] = ()
) -> list[Span]:
    """The best price over all time up to `until`; `drained_to` is how far each market's silence is known."""
    everything = list(heard)
    markets = {market: replay(everything, market, outs) for market in sorted({one.market for one in everything})}
    deaths = {one: _dies_at(one, drained_to.get(one.market)) for one in everything}
    instants = {instant for one in everything for instant in (one.sent_at, deaths[one])}
    instants |= {instant for _b, doubted in markets.values() for jump in doubted for instant in (jump.until,)}
    instants |= {instant for one in outs for instant in (one.start, one.end)}
    edges = [*sorted(instant for instant in instants if instant < until), until]
    found = []
    for start, end in pairwise(edges):
        said = [
            _said(*courses, start, deaths) for market, courses in markets.items() if not _is_out(outs, market, start)
        ]
        found.append(_span(start, end, said, until))
    return found


def _said(believed: list[Believed], doubted: list[Doubted], at: datetime, deaths: Mapping[Heard, datetime]) -> _Said:
    current = [one for one in believed if one.since <= at][-1:]
    jumps = [jump for jump in doubted if jump.one.sent_at <= at < jump.until]
    jump = jumps[0] if jumps else None
    if not current or at >= deaths[current[0].one]:
        return _Said(None, alone=False, too_late=False, jump=jump)
    return _Said(current[0].one.price, current[0].alone, current[0].one.too_late, jump)


def _span(start: datetime, end: datetime, said: list[_Said], until: datetime) -> Span:
    """A jump is pending in a span if nothing has settled it by `until`, when the service looks at it."""
    suspect = _suspect(said)
    counting = [one for one in said if one not in suspect]
    live = [one.price for one in counting if one.price is not None]
    pending = [one.jump for one in counting if one.jump and not _is_settled(one.jump, until)]
    if not live:
        return Span(start, end, None, applies=False)
    careful = _apart([one.price for one in said if one.price is not None]) or bool(pending)
    cautious = min([*live, *(jump.one.price for jump in pending)]) if careful else max(live)
    prices, too_late = list(live), any(one.too_late for one in counting if one.price is not None)
    for one in counting:  # no loan is claimed at a price that had been overtaken
        if one.jump and one.jump.confirmed and _is_settled(one.jump, until):
            jumped = _Said(one.jump.one.price, one.jump.alone, one.jump.one.too_late, jump=None)
            if jumped not in _suspect([jumped, *(other for other in counting if other is not one)]):
                prices.append(one.jump.one.price)
    return Span(start, end, max(prices), applies=not too_late and not pending, cautious=cautious)


def _is_settled(jump: Doubted, until: datetime) -> bool:
    return jump.until <= until


def _suspect(said: Sequence[_Said]) -> list[_Said]:
    """Whose quotes do not count: those alone with their jump, in a dispute with one that is not."""
    live = [one for one in said if one.price is not None]
    if not _apart([one.price for one in live if one.price is not None]) or all(one.alone for one in live):
        return []
    return [one for one in live if one.alone]


def _dies_at(one: Heard, drained_to: datetime | None) -> datetime:
    """A silence that may be our own lag is not taken for one, up to a limit."""
    if one.too_late or (drained_to is not None and drained_to >= one.sent_at + MAX_AGE):
        return one.sent_at + MAX_AGE
    return one.sent_at + MAX_LAG


def possible_prices(
    heard: Sequence[Heard], instant: datetime, decided_at: datetime, outs: Sequence[Out] = ()
) -> set[Decimal]:
    """The best prices at which the service may have claimed by `decided_at` for an instant, from these quotes.

    Not knowing how far queues were drained then.
    """
    markets = sorted({one.market for one in heard})
    courses = {market: replay(heard, market, outs) for market in markets}
    found = set()
    for lagging in product((True, False), repeat=len(markets)):
        held = dict(zip(markets, lagging, strict=True))
        deaths = {one: one.sent_at + (MAX_LAG if held[one.market] else MAX_AGE) for one in heard}
        said = [_said(*courses[market], instant, deaths) for market in markets if not _is_out(outs, market, instant)]
        span = _span(instant, instant, said, decided_at)
        if span.price is not None and span.applies:
            found.add(span.price)
    return found
