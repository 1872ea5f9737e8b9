"""What a sweep must judge: the quotes not yet swept, and the best price over the time they cover."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from django.db import connection

from pricing import quotes as rules
from pricing import records
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.quotes import PricePoint, Quote

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Window:
    """The quotes a sweep takes on, the best price over their time, its lows, and the price at its end.

    `lows` and `points` are as in `pricing.quotes`; `last` is the price at the end of the window, `until`, known or
    not, and lies where that price began. `drained_to` is how far each market's silence was known.
    """

    unswept: tuple[Quote, ...]
    points: tuple[PricePoint, ...]
    lows: tuple[PricePoint, ...]
    last: PricePoint
    until: datetime
    drained_to: Mapping[Market, datetime | None]


def open_window(now: datetime) -> Window:
    """The window from the earliest news to `now`: an unswept quote, the silence before it, or a silence learned of.

    [now, now] if there is none.

    Takes no lock; the caller holds the sweep's. Quotes recorded later stay unswept for the next one. If the clock was
    set back since the last sweep, the window goes as far as that one's.
    """
    freshness = records.freshness()
    earliest, swept_to = records.progress(since=now - freshness.max_age)
    now = _as_far_as_before(now, swept_to, freshness)
    reach = freshness.max_lag + freshness.max_age
    # Before the quotes: a drained_to read after them could prove more than they show.
    drained_to, judged_to = records.silences()
    if earliest and earliest > now:
        earliest = None
    # Twice the reach: the start may move back by once, and needs the history behind it. A quiet look needs what may
    # have died within the reach.
    since = earliest - 2 * reach if earliest else now - reach - freshness.max_age
    history = records.history(since, now)
    learned = rules.silences_learned(history.quotes, freshness, drained_to=drained_to, judged_to=judged_to)
    if learned and not earliest:
        history = records.history(now - 2 * reach, now)
    unswept, start = history.unswept, min([now, *(death for death in learned if death >= now - reach)])
    if unswept:
        recent = [quote for quote in history.quotes if quote.sent_at > unswept[0].sent_at - reach]
        start = min(start, rules.window_start(recent, unswept, freshness, history.swept_to))
    quotes, begin = _standing_from(history.quotes, start, freshness)

    def line(first: datetime) -> tuple[PricePoint, ...]:
        return rules.timeline(
            quotes,
            drained_to=drained_to,
            freshness=freshness,
            reference_quantity=records.reference_quantity(),
            start=first,
            end=now,
        )

    points = line(start)
    return Window(tuple(unswept), points, rules.lows(points), line(begin)[-1], now, drained_to)


def _as_far_as_before(now: datetime, swept_to: datetime | None, freshness: rules.Freshness) -> datetime:
    """`now`, or the end of the last sweep if the clock was set back behind it, by no more than a quote lives.

    Messages that the queue dates later than our clock count as sent now. So after such a step new quotes lie before
    others already judged, and change what the price was where the last sweep looked. All of that is judged again.
    """
    if swept_to is None or not now < swept_to <= now + freshness.max_age:
        return now
    log.warning("clock_set_back", now=now.isoformat(), swept_to=swept_to.isoformat())
    return swept_to


def _standing_from(quotes: list[Quote], start: datetime, freshness: rules.Freshness) -> tuple[list[Quote], datetime]:
    """The quotes that can stand at `start` or later, with their levels, and the earliest time of these.

    What stood before them decides nothing any more: whether a quote takes part depends on the one standing alone. So
    a few curves are read, and a few quotes walked over, of some hundreds.
    """
    before = [quote for quote in quotes if quote.sent_at < start]
    needed = [*rules.standing(before, freshness).values(), *(quote for quote in quotes if quote.sent_at >= start)]
    levels = records.levels_of(quote.id for quote in needed)
    begin = min([start, *(quote.sent_at for quote in needed)])
    return [replace(quote, sell=levels.get(quote.id, ())) for quote in needed], begin


def mark_swept(window: Window) -> None:
    """Mark a window's quotes as judged, in the caller's transaction; those marked before keep their instant.

    One that was dated back since the window was opened has not been judged as it now stands, and stays unswept. How
    far silences were known is kept beside them. The caller holds the sweep's lock.
    """
    judged_to = [(market.value, min(known, window.until)) for market, known in window.drained_to.items() if known]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO pricing_judgedfeed AS j (market, judged_to)"
            " SELECT * FROM unnest(%s::text[], %s::timestamptz[])"
            " ON CONFLICT (market) DO UPDATE SET judged_to = excluded.judged_to"
            " WHERE j.judged_to < excluded.judged_to",
            [[market for market, _ in judged_to], [known for _, known in judged_to]],
        )
        cursor.execute(
            "UPDATE pricing_pricequote q SET swept_at = %s"
            " FROM unnest(%s::bigint[], %s::timestamptz[]) AS judged(id, sent_at)"
            " WHERE q.swept_at IS NULL AND q.id = judged.id AND q.sent_at = judged.sent_at",
            [window.until, [q.id for q in window.unswept], [q.sent_at for q in window.unswept]],
        )


def anything_unswept(now: datetime) -> bool:
    """Whether quotes sent by `now` wait for a sweep."""
    return PriceQuote.objects.filter(swept_at__isnull=True, sent_at__lte=now).exists()
