"""What an evaluation covers: the quotes not yet evaluated, and the best price over the time they bear on.

docs/decisions/0004-timeline-of-the-best-price.md explains why a window starts and ends where it does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db.models import Q

from pricing import findings, reading, records, window_start
from pricing import timeline as rules
from pricing.guard import Course
from pricing.markets import Market
from pricing.models import FeedEvaluation, PriceQuote
from pricing.quotes import Freshness, PricePoint, Quote
from pricing.reading import History, Progress

log = structlog.get_logger(__name__)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
# Quotes marked in one statement. After an outage there may be thousands.
_MARKED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Window:
    """The quotes that an evaluation takes on, the best price over their time, its lows, and the price at the end.

    `points` and `lows` are as in `pricing.quotes`. `last` is the price at `until`, the end of the window, known or not;
    it lies where that price began. `drained_further` has the feeds that are known to be drained further than at the
    last evaluation, and how far. `found` is what it finds out about quotes.
    """

    unevaluated: tuple[Quote, ...]
    points: tuple[PricePoint, ...]
    lows: tuple[PricePoint, ...]
    last: PricePoint
    until: datetime
    drained_further: Mapping[Market, datetime]
    found: findings.Found


def open_window(now: datetime, resumed_at: datetime | None = None) -> Window:
    """The window of an evaluation at `now`.

    It starts at the earliest unevaluated quote, or earlier at an expiry that matters to it. It starts no later than
    what has come to light since the last evaluation: an expiry that is confirmed, a jump that is no longer pending, a
    market set aside or counted again, and `resumed_at` if no evaluation has covered what came after. If there is none
    of these, it is [now, now]. It ends at `now`, or where the last one ended if the clock was set back since.

    Takes no lock; the caller holds the evaluation's. Quotes recorded later stay unevaluated for the next one.
    """
    freshness = records.freshness()
    # Before the quotes: a drained_to read after them could prove more than they show.
    progress = reading.progress(since=now - freshness.max_age)
    until = _no_earlier_than_the_last(now, progress.evaluated_to, freshness)
    history, courses, unevaluated, start = _history(progress, until, freshness, resumed_at)

    def timeline_from(first: datetime) -> tuple[PricePoint, ...]:
        return rules.timeline(
            courses,
            progress.guards,
            drained_to=progress.drained_to,
            freshness=freshness,
            reference_quantity=settings.PRICE_REFERENCE_QUANTITY,
            start=first,
            end=until,
            aside=history.aside,
        )

    points, last = timeline_from(start), timeline_from(_began_at(courses, start))[-1]
    return Window(
        tuple(unevaluated),
        points,
        rules.successive_lows(points),
        last,
        until,
        _drained_further(progress, until),
        findings.of(history, courses, progress.guards, until),
    )


def mark_evaluated(window: Window) -> None:
    """Mark a window's quotes as evaluated, in the caller's transaction, and note how far its feeds were drained.

    What it found out about quotes is stored with them, and the jumps it held are recorded.

    Quotes that are marked already keep their instant. A quote that was dated back since the window was opened has not
    been evaluated at its new time, so it stays unevaluated. The caller holds the evaluation's lock. Idempotent.
    """
    FeedEvaluation.objects.bulk_create(
        [FeedEvaluation(market=market, known_drained_to=to) for market, to in window.drained_further.items()],
        update_conflicts=True,
        unique_fields=["market"],
        update_fields=["known_drained_to"],
    )
    for first in range(0, len(window.unevaluated), _MARKED_AT_ONCE):
        marked = window.unevaluated[first : first + _MARKED_AT_ONCE]
        as_evaluated = Q(*(Q(pk=quote.id, sent_at=quote.sent_at) for quote in marked), _connector=Q.OR)
        rows = PriceQuote.objects.filter(as_evaluated, evaluated_at=None)
        rows.update(evaluated_at=window.until, **window.found.columns(marked))
    window.found.save({quote.id for quote in window.unevaluated})


def earliest_unevaluated() -> datetime | None:
    """When the earliest quote was sent that is not yet evaluated; None if there is none."""
    return PriceQuote.objects.filter(evaluated_at=None).order_by("sent_at").values_list("sent_at", flat=True).first()


def anything_unevaluated(now: datetime) -> bool:
    """Whether a quote sent by `now` is not yet evaluated."""
    earliest = earliest_unevaluated()
    return earliest is not None and earliest <= now


def _history(
    progress: Progress, until: datetime, freshness: Freshness, resumed_at: datetime | None
) -> tuple[History, dict[Market, Course], list[Quote], datetime]:
    """The quotes that a window up to `until` depends on, what the guard makes of them, and where the window starts.

    And which of them are unevaluated and lie in it.
    """
    reach = freshness.max_lag + freshness.max_age
    earliest = progress.earliest if progress.earliest and progress.earliest <= until else None
    # Twice the reach: the start may move back by one reach, and depends on what was sent in another one before it.
    since = max((earliest or until) - 2 * reach, min(earliest or until, _settled_to(progress)))
    while True:
        history = reading.history(since, until, no_earlier=since - reach)
        courses = history.courses(progress.guards, freshness)
        # A quote recorded or dated back to before `earliest` meanwhile is left to the next evaluation.
        unevaluated = [quote for quote in history.unevaluated if earliest and quote.sent_at >= earliest]
        evaluated_to = progress.evaluated_to or history.evaluated_to
        instants = window_start.newly_confirmed_expiries(
            courses, freshness, drained_to=progress.drained_to, known_drained_to=progress.known_drained_to
        )
        instants += window_start.no_longer_pending(courses, freshness, since=evaluated_to, until=until)
        instants += window_start.set_aside_or_back(history.aside, since=evaluated_to, until=until)
        start = min([until, *(instant for instant in instants if instant >= (earliest or until) - reach)])
        if unevaluated:
            start = min(start, window_start.window_start(courses, unevaluated, freshness, evaluated_to))
        if resumed_at and start - reach <= resumed_at < start and (evaluated_to or _LONG_AGO) <= resumed_at:
            start = resumed_at
        if start >= since:
            return history, courses, unevaluated, start
        since = start  # the window starts before what was read: read what the other market sent from there on, too


def _settled_to(progress: Progress) -> datetime:
    """Up to when the price is settled: no new quote and no newly confirmed expiry before this instant can change it.

    A market's expiries are newly confirmed when its feed is found drained further than at the last evaluation.
    """
    drained_further = [
        market for market, drained in progress.drained_to.items() if drained != progress.known_drained_to[market]
    ]
    return min(
        instant or _LONG_AGO
        for instant in (progress.evaluated_to, *map(progress.known_drained_to.get, drained_further))
    )


def _no_earlier_than_the_last(now: datetime, evaluated_to: datetime | None, freshness: Freshness) -> datetime:
    """`now`; or the end of the last evaluation, if the clock was set back to before it by at most the maximum age.

    A message that the queue dates later than our clock counts as sent now. So after the clock was set back, new quotes
    lie before quotes that are already evaluated, and change the price of that time. All of it is evaluated again.
    """
    if evaluated_to is None or not now < evaluated_to <= now + freshness.max_age:
        return now
    log.warning("clock_set_back", now=now.isoformat(), evaluated_to=evaluated_to.isoformat())
    return evaluated_to


def _began_at(courses: Mapping[Market, Course], start: datetime) -> datetime:
    """An instant at which the price at `start` had not begun yet, or began."""
    current = (rules.effective_at(course, start) for course in courses.values())
    return min([start, *(quote.sent_at for quote in current if quote)])


def _drained_further(progress: Progress, until: datetime) -> dict[Market, datetime]:
    """The feeds known to be drained further, up to `until` at most, than at the last evaluation; and how far."""
    known = {market: min(drained, until) for market, drained in progress.drained_to.items() if drained}
    return {market: to for market, to in known.items() if to > (progress.known_drained_to[market] or _LONG_AGO)}
