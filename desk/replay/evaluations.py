"""The evaluations of a past interval, made anew from recorded quotes by the rules of pricing: pure functions.

Each quote keeps the instant of the evaluation that covered it, so what a finished evaluation knew is recorded. How
far queues were drained is not: a feed counts as drained up to the first quote sent by then that is known only later.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from desk.replay.engine import Evaluation, Price
from pricing import guard as guarding
from pricing import timeline, window_start
from pricing.aside import Aside
from pricing.guard import Course, Effective, Guards, Jump
from pricing.markets import Market
from pricing.quotes import Freshness, PricePoint, Quote


@dataclass(frozen=True, slots=True)
class Known:
    """A quote, since when evaluations knew it, and which one covered it. If it came too late for any, both are then."""

    quote: Quote
    at: datetime
    evaluated_at: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """What prices depend on beside quotes. `resumed` are the instants at which claims went on after a pause."""

    guards: Guards
    freshness: Freshness
    reference_quantity: Decimal
    aside: Aside = ()
    resumed: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Instant:
    """When the window of an evaluation ended, or is taken to have ended, and when it changed loans, if that is known.

    `before` is the last one before it that was finished, `evaluated_to` the last that was and had covered quotes.
    """

    at: datetime
    before: datetime
    evaluated_to: datetime
    acted_at: datetime | None = None


class ReadFurtherBack(Exception):  # not an error: the caller reads more quotes
    """A window begins before what was read."""

    def __init__(self, since: datetime) -> None:
        """Since when quotes must be read."""
        super().__init__(since)
        self.since = since


def evaluations(
    instants: Sequence[Instant],
    quotes: Iterable[Known],
    settled: Mapping[Market, Effective],
    rules: Rules,
    since: datetime,
) -> Iterator[Evaluation]:
    """The evaluations at these ascending instants, by quotes that `pricing.reading.history` has read from `since` on.

    Raises ReadFurtherBack.
    """
    known = sorted(quotes, key=lambda one: one.at)
    for run in _runs(instants, known):
        told = [one.quote for one in known if one.at <= run[-1].at]
        courses = guarding.judged(told, rules.guards, rules.freshness, settled, rules.aside)
        for instant in run:
            untold = (one.quote.sent_at for one in known if instant.at < one.at <= run[-1].at)
            as_known = _as_known(courses, instant.at, min(untold, default=None))
            yield _evaluation(instant, known, as_known, rules, since)


def _runs(instants: Sequence[Instant], known: Sequence[Known]) -> Iterator[list[Instant]]:
    """The instants in runs: within one, quotes became known in the order in which they were sent.

    So what was known at any instant of a run is the beginning of what was known at its end, and is judged once. Quotes
    of two markets, or one that came late, may become known in another order.
    """
    run: list[Instant] = []
    latest: datetime | None = None
    waiting = iter([*known, None])
    following = next(waiting)
    for instant in instants:
        news = []
        while following is not None and following.at <= instant.at:
            news.append(following.quote.sent_at)
            following = next(waiting)
        if run and news and latest is not None and min(news) <= latest:
            yield run
            run = []
        latest = max([*news, *([latest] if latest else [])], default=None)
        run.append(instant)
    if run:
        yield run


def _evaluation(
    instant: Instant, known: Sequence[Known], courses: Mapping[Market, Course], rules: Rules, since: datetime
) -> Evaluation:
    """As `pricing.evaluation_window.open_window` and the steps of `liquidation.evaluate` have it."""
    now, acted_at = instant.at, instant.acted_at or instant.at
    news = [one.quote for one in known if one.at <= now <= one.evaluated_at and not one.quote.too_late]
    drained_to = _drained_to(known, now)
    start = _start(instant, news, courses, drained_to, rules, known_drained_to=_drained_to(known, instant.before))
    if start < since:
        raise ReadFurtherBack(start)

    def timeline_from(first: datetime) -> tuple[PricePoint, ...]:
        return timeline.timeline(
            courses,
            rules.guards,
            drained_to=drained_to,
            freshness=rules.freshness,
            reference_quantity=rules.reference_quantity,
            start=first,
            end=now,
            aside=rules.aside,
        )

    began = [timeline.effective_at(course, start) for course in courses.values()]
    lows = tuple(_price(low) for low in timeline.successive_lows(timeline_from(start)))
    last = timeline_from(min([start, *(quote.sent_at for quote in began if quote)]))[-1]
    if last.price is None:
        return Evaluation(acted_at, lows, None, None)
    covered = any((low.price, low.applies_before) == (last.price, last.applies_before) for low in lows[-1:])
    may_claim = last.may_claim and not covered
    return Evaluation(acted_at, lows, _price(last) if may_claim else None, _price(last.cautious))


def _price(point: PricePoint) -> Price:
    return Price(point.at, point.known_price, point.applies_before)


def _as_known(courses: Mapping[Market, Course], now: datetime, unknown: datetime | None) -> dict[Market, Course]:
    """Courses without what began after `now`, or by a quote that was not known then: all sent at `unknown` or later."""

    def counts(begins: datetime) -> bool:
        return begins <= now and (unknown is None or begins < unknown)

    def as_known(jump: Jump) -> Jump:
        ended = jump.end is None or counts(jump.end)
        return jump if ended else replace(jump, end=None, by=None, confirmed=False)

    found = {}
    for market, course in courses.items():
        effective = tuple(one for one in course.effective if counts(one.start))
        jumps = tuple(as_known(jump) for jump in course.jumps if counts(jump.quote.sent_at))
        if effective or jumps:
            found[market] = Course(effective, jumps, course.newest)
    return found


def _drained_to(known: Sequence[Known], now: datetime) -> dict[Market, datetime | None]:
    unread: dict[Market, datetime | None] = dict.fromkeys(Market, now)
    for one in known:
        if one.at > now and one.quote.sent_at <= now:
            unread[one.quote.market] = min(unread[one.quote.market] or now, one.quote.sent_at)
    return unread


def _start(
    instant: Instant,
    news: Sequence[Quote],
    courses: Mapping[Market, Course],
    drained_to: Mapping[Market, datetime | None],
    rules: Rules,
    *,
    known_drained_to: Mapping[Market, datetime | None],
) -> datetime:
    """Where the window of an evaluation begins."""
    now, evaluated_to, freshness = instant.at, instant.evaluated_to, rules.freshness
    reach = freshness.max_age + freshness.max_lag
    earliest = min((quote.sent_at for quote in news), default=now)
    found = window_start.newly_confirmed_expiries(
        courses, freshness, drained_to=drained_to, known_drained_to=known_drained_to
    )
    found += window_start.no_longer_pending(courses, freshness, since=evaluated_to, until=now)
    found += window_start.set_aside_or_back(rules.aside, since=evaluated_to, until=now)
    start = min([now, *(begins for begins in found if begins >= earliest - reach)])
    if news:
        start = min(start, window_start.window_start(courses, news, freshness, evaluated_to))
    resumed = max((at for at in rules.resumed if at <= now), default=None)
    if resumed and start - reach <= resumed < start and evaluated_to <= resumed:
        return resumed
    return start
