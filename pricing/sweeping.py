"""What a sweep must judge: the quotes not yet swept, and the best price over the time they cover."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection
from django.db.models import Min

from pricing import quotes as rules
from pricing import records
from pricing.models import PriceQuote
from pricing.quotes import PricePoint, Quote


@dataclass(frozen=True, slots=True)
class Window:
    """The quotes a sweep takes on, the best price over their time, its lows, and the price at its end.

    `lows` and `points` are as in `pricing.quotes`; `last` is the price at the end of the window, `until`, known or
    not, and lies where that price began.
    """

    quote_ids: tuple[int, ...]
    points: tuple[PricePoint, ...]
    lows: tuple[PricePoint, ...]
    last: PricePoint
    until: datetime


def open_window(now: datetime) -> Window:
    """The window from the earliest unswept quote (or the silence before it) to `now`; [now, now] if there is none.

    Takes no lock; the caller holds the sweep's. Quotes recorded later stay unswept for the next one.
    """
    freshness = records.freshness()
    reach = freshness.max_lag + freshness.max_age
    # Before the quotes: a drained_to read after them could prove more than they show.
    drained_to = records.drained_to()
    earliest = PriceQuote.objects.filter(swept_at__isnull=True, sent_at__lte=now).aggregate(at=Min("sent_at"))["at"]
    # Twice the reach: the start may move back by once, and needs the history behind it.
    rows = records.history_times(earliest - 2 * reach if earliest else now - reach, now)
    quotes = [quote for quote, _ in rows]
    unswept = [quote for quote, swept_at in rows if swept_at is None]
    start = now
    if unswept:
        recent = [quote for quote in quotes if quote.sent_at > unswept[0].sent_at - reach]
        swept_to = max((at for quote, at in rows if at is not None and not quote.too_late), default=None)
        start = min(now, rules.window_start(recent, unswept, freshness, swept_to))
    quotes, begin = _with_levels_from(quotes, start, freshness)

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
    return Window(tuple(quote.id for quote in unswept), points, rules.lows(points), line(begin)[-1], now)


def _with_levels_from(quotes: list[Quote], start: datetime, freshness: rules.Freshness) -> tuple[list[Quote], datetime]:
    """The quotes with the levels of those that can stand at `start` or later, and the earliest time of these.

    Reading some hundreds of curves to use a few would be most of a quiet sweep's cost.
    """
    before = [quote for quote in quotes if quote.sent_at < start]
    needed = {quote.id for quote in quotes if quote.sent_at >= start}
    needed |= {quote.id for quote in rules.standing(before, freshness).values()}
    levels = records.levels_of(needed)
    begin = min([start, *(quote.sent_at for quote in quotes if quote.id in needed)])
    return [replace(quote, sell=levels.get(quote.id, ())) for quote in quotes], begin


def mark_swept(quote_ids: Iterable[int], now: datetime) -> None:
    """Mark quotes as judged, in the caller's transaction; those marked before keep their instant."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pricing_pricequote SET swept_at = %s WHERE swept_at IS NULL AND id = ANY(%s::bigint[])",
            [now, list(quote_ids)],
        )


def anything_unswept(now: datetime) -> bool:
    """Whether quotes sent by `now` wait for a sweep."""
    return PriceQuote.objects.filter(swept_at__isnull=True, sent_at__lte=now).exists()
