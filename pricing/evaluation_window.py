"""What an evaluation covers: the quotes not yet evaluated, and the best price over the time they bear on.

docs/decisions/0004-timeline-of-the-best-price.md explains why a window starts and ends where it does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db.models import Q

from pricing import quotes as rules
from pricing import records
from pricing.markets import Market
from pricing.models import FeedEvaluation, PriceQuote
from pricing.quotes import Freshness, PricePoint, Quote
from pricing.records import Progress

log = structlog.get_logger(__name__)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
# Quotes marked in one statement. After an outage there may be thousands.
_MARKED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Window:
    """The quotes that an evaluation takes on, the best price over their time, its lows, and the price at the end.

    `points` and `lows` are as in `pricing.quotes`. `last` is the price at `until`, the end of the window, known or not;
    it lies where that price began. `drained_further` has the feeds that are known to be drained further than at the
    last evaluation, and how far.
    """

    unevaluated: tuple[Quote, ...]
    points: tuple[PricePoint, ...]
    lows: tuple[PricePoint, ...]
    last: PricePoint
    until: datetime
    drained_further: Mapping[Market, datetime]


def open_window(now: datetime, resumed_at: datetime | None = None) -> Window:
    """The window of an evaluation at `now`.

    It starts at the earliest unevaluated quote, or earlier at an expiry that matters to it, or at an expiry that has
    been confirmed since the last evaluation, or at `resumed_at` if no evaluation since has covered what came after. If
    there is none of these, it is [now, now]. It ends at `now`, or where the last one ended if the clock was set back
    since.

    Takes no lock; the caller holds the evaluation's. Quotes recorded later stay unevaluated for the next one.
    """
    freshness = records.freshness()
    # Before the quotes: a drained_to read after them could prove more than they show.
    progress = records.progress(since=now - freshness.max_age)
    until = _no_earlier_than_the_last(now, progress.evaluated_to, freshness)
    history, unevaluated, start = _history(progress, until, freshness, resumed_at)
    quotes, first_sent = _effective_from(history, start, freshness)

    def timeline_from(first: datetime) -> tuple[PricePoint, ...]:
        return rules.timeline(
            quotes,
            drained_to=progress.drained_to,
            freshness=freshness,
            reference_quantity=settings.PRICE_REFERENCE_QUANTITY,
            start=first,
            end=until,
        )

    points, last = timeline_from(start), timeline_from(first_sent)[-1]
    drained_further = _drained_further(progress, until)
    return Window(tuple(unevaluated), points, rules.successive_lows(points), last, until, drained_further)


def mark_evaluated(window: Window) -> None:
    """Mark a window's quotes as evaluated, in the caller's transaction, and note how far its feeds were drained.

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
        PriceQuote.objects.filter(as_evaluated, evaluated_at=None).update(evaluated_at=window.until)


def earliest_unevaluated() -> datetime | None:
    """When the earliest quote was sent that is not yet evaluated; None if there is none."""
    return PriceQuote.objects.filter(evaluated_at=None).order_by("sent_at").values_list("sent_at", flat=True).first()


def anything_unevaluated(now: datetime) -> bool:
    """Whether a quote sent by `now` is not yet evaluated."""
    earliest = earliest_unevaluated()
    return earliest is not None and earliest <= now


def _history(
    progress: Progress, until: datetime, freshness: Freshness, resumed_at: datetime | None
) -> tuple[list[Quote], list[Quote], datetime]:
    """The quotes that a window up to `until` depends on, the unevaluated ones in it, and where the window starts."""
    reach = freshness.max_lag + freshness.max_age
    earliest = progress.earliest if progress.earliest and progress.earliest <= until else None
    # Twice the reach: the start may move back by one reach, and depends on what was sent in another one before it.
    since = max((earliest or until) - 2 * reach, min(earliest or until, _settled_to(progress)))
    while True:
        quotes, not_evaluated, evaluated_to = records.history(since, until, no_earlier=since - reach)
        # A quote recorded or dated back to before `earliest` meanwhile is left to the next evaluation.
        unevaluated = [quote for quote in not_evaluated if earliest and quote.sent_at >= earliest]
        confirmed = rules.newly_confirmed_expiries(
            quotes, freshness, drained_to=progress.drained_to, known_drained_to=progress.known_drained_to
        )
        start = min([until, *(expiry for expiry in confirmed if expiry >= until - reach)])
        evaluated_to = progress.evaluated_to or evaluated_to
        if unevaluated:
            recent = [quote for quote in quotes if quote.sent_at > unevaluated[0].sent_at - reach]
            start = min(start, rules.window_start(recent, unevaluated, freshness, evaluated_to))
        if resumed_at and start - reach <= resumed_at < start and (evaluated_to or _LONG_AGO) <= resumed_at:
            start = resumed_at
        if start >= since:
            return quotes, unevaluated, start
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


def _effective_from(quotes: list[Quote], start: datetime, freshness: Freshness) -> tuple[list[Quote], datetime]:
    """The quotes that may be current at `start` or later, and when the first of these was sent.

    Of those sent before `start`, these are the current ones only: no other decides whether a later one is effective.
    """
    before = [quote for quote in quotes if quote.sent_at < start]
    needed = [*rules.current_quotes(before, freshness).values(), *(quote for quote in quotes if quote.sent_at >= start)]
    return needed, min([start, *(quote.sent_at for quote in needed)])


def _drained_further(progress: Progress, until: datetime) -> dict[Market, datetime]:
    """The feeds known to be drained further, up to `until` at most, than at the last evaluation; and how far."""
    known = {market: min(drained, until) for market, drained in progress.drained_to.items() if drained}
    return {market: to for market, to in known.items() if to > (progress.known_drained_to[market] or _LONG_AGO)}
