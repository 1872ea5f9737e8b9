"""What a sweep must judge: the quotes not yet swept, and the best price over the time they cover."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from django.db import connection

from pricing import quotes as rules
from pricing import records
from pricing.markets import Market
from pricing.quotes import Freshness, PricePoint, Quote
from pricing.records import History, Progress

log = structlog.get_logger(__name__)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_MARK = """
    WITH silences AS (
        INSERT INTO pricing_feedevaluation AS j (market, known_drained_to)
        SELECT * FROM unnest(%(markets)s::text[], %(known)s::timestamptz[])
        ON CONFLICT (market) DO UPDATE SET known_drained_to = excluded.known_drained_to
        WHERE j.known_drained_to < excluded.known_drained_to
    )
    UPDATE pricing_pricequote q SET evaluated_at = %(until)s
    FROM unnest(%(quotes)s::bigint[], %(sent)s::timestamptz[]) AS judged(id, sent_at)
    WHERE q.evaluated_at IS NULL AND q.id = judged.id AND q.sent_at = judged.sent_at
"""


@dataclass(frozen=True, slots=True)
class Window:
    """The quotes a sweep takes on, the best price over their time, its lows, and the price at its end.

    `lows` and `points` are as in `pricing.quotes`; `last` is the price at the end of the window, `until`, known or
    not, and lies where that price began. `drained_to` is how far each market's silence was known.
    """

    unevaluated: tuple[Quote, ...]
    points: tuple[PricePoint, ...]
    lows: tuple[PricePoint, ...]
    last: PricePoint
    until: datetime
    drained_to: Mapping[Market, datetime | None]


def open_window(now: datetime) -> Window:
    """The window from the earliest news to `now`: an unevaluated quote, the silence before it, or a silence learned of.

    [now, now] if there is none.

    Takes no lock; the caller holds the evaluation's. Quotes recorded later stay unevaluated for the next one. If the
    clock was set back since the last evaluation, the window goes as far as that one's.
    """
    freshness = records.freshness()
    # Before the quotes: a drained_to read after them could prove more than they show.
    progress = records.progress(since=now - freshness.max_age)
    now = _as_far_as_before(now, progress.evaluated_to, freshness)
    history, unevaluated, start = _history(progress, now, freshness)
    quotes, begin = _standing_from(history.quotes, start, freshness)

    def line(first: datetime) -> tuple[PricePoint, ...]:
        return rules.timeline(
            quotes,
            drained_to=progress.drained_to,
            freshness=freshness,
            reference_quantity=records.reference_quantity(),
            start=first,
            end=now,
        )

    points = line(start)
    return Window(tuple(unevaluated), points, rules.successive_lows(points), line(begin)[-1], now, progress.drained_to)


def _history(progress: Progress, now: datetime, freshness: Freshness) -> tuple[History, list[Quote], datetime]:
    """The quotes that a window up to `now` needs, which of them are to be judged, and where the window starts."""
    reach = freshness.max_lag + freshness.max_age
    earliest = progress.earliest if progress.earliest and progress.earliest <= now else None
    # Twice the reach: the start may move back by once, and needs the history behind it.
    since = max((earliest or now) - 2 * reach, min(earliest or now, _settled_to(progress)))
    while True:
        history = records.history(since, now, no_earlier=since - reach)
        # One that was recorded or dated back meanwhile, to before all of these, is left to the next sweep.
        unevaluated = [quote for quote in history.unevaluated if earliest and quote.sent_at >= earliest]
        learned = rules.newly_confirmed_expiries(
            history.quotes, freshness, drained_to=progress.drained_to, known_drained_to=progress.known_drained_to
        )
        start = min([now, *(death for death in learned if death >= now - reach)])
        if unevaluated:
            recent = [quote for quote in history.quotes if quote.sent_at > unevaluated[0].sent_at - reach]
            evaluated_to = progress.evaluated_to or history.evaluated_to
            start = min(start, rules.window_start(recent, unevaluated, freshness, evaluated_to))
        if start >= since:
            return history, unevaluated, start
        since = start  # a silence before the news: what the other market sent meanwhile is needed, too


def _settled_to(progress: Progress) -> datetime:
    """Up to when all is judged for good: no quote, and no silence learned of since, changes what the price was.

    A market's silences are learned of as its feed is found to be drained further than at the last sweep.
    """
    learning = [
        market for market, drained in progress.drained_to.items() if drained != progress.known_drained_to[market]
    ]
    return min(
        instant or _LONG_AGO for instant in (progress.evaluated_to, *map(progress.known_drained_to.get, learning))
    )


def _as_far_as_before(now: datetime, evaluated_to: datetime | None, freshness: Freshness) -> datetime:
    """`now`, or the end of the last sweep if the clock was set back behind it, by no more than a quote lives.

    Messages that the queue dates later than our clock count as sent now. So after such a step new quotes lie before
    others already judged, and change what the price was where the last sweep looked. All of that is judged again.
    """
    if evaluated_to is None or not now < evaluated_to <= now + freshness.max_age:
        return now
    log.warning("clock_set_back", now=now.isoformat(), evaluated_to=evaluated_to.isoformat())
    return evaluated_to


def _standing_from(quotes: list[Quote], start: datetime, freshness: Freshness) -> tuple[list[Quote], datetime]:
    """The quotes that can stand at `start` or later, and the earliest time of these.

    What stood before them decides nothing any more: whether a quote takes part depends on the one standing alone.
    """
    before = [quote for quote in quotes if quote.sent_at < start]
    needed = [*rules.current_quotes(before, freshness).values(), *(quote for quote in quotes if quote.sent_at >= start)]
    return needed, min([start, *(quote.sent_at for quote in needed)])


def mark_evaluated(window: Window) -> None:
    """Mark a window's quotes as judged, in the caller's transaction; those marked before keep their instant.

    One that was dated back since the window was opened has not been judged as it now stands, and stays unevaluated. How
    far silences were known is kept beside them. The caller holds the sweep's lock.
    """
    known_drained_to = [
        (market.value, min(known, window.until)) for market, known in window.drained_to.items() if known
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _MARK,
            {
                "markets": [market for market, _ in known_drained_to],
                "known": [known for _, known in known_drained_to],
                "until": window.until,
                "quotes": [quote.id for quote in window.unevaluated],
                "sent": [quote.sent_at for quote in window.unevaluated],
            },
        )


def earliest_unevaluated() -> datetime | None:
    """When the earliest quote was sent that waits for a sweep; None if none does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(sent_at) FROM pricing_pricequote WHERE evaluated_at IS NULL")
        (earliest,) = cursor.fetchone()
    return earliest  # type: ignore[no-any-return]


def anything_unevaluated(now: datetime) -> bool:
    """Whether quotes sent by `now` wait for a sweep."""
    earliest = earliest_unevaluated()
    return earliest is not None and earliest <= now
