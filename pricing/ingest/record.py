"""Writing a batch of received messages: quotes, what could not be read, and the feed's figures, all or nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import F

from coruscant import failpoints
from coruscant.text import escaped
from pricing import records
from pricing.feeds import FeedSource
from pricing.feeds.event import ParsedQuote, Skipped, Unreadable
from pricing.ingest.message import Received
from pricing.markets import Market
from pricing.models import Feed

log = structlog.get_logger(__name__)

_ROWS = (
    "jsonb_to_recordset(%(rows)s::jsonb) AS m(message_id text, event_id text, market_time numeric, sent_at timestamptz,"
    " sell jsonb, buy jsonb, too_late boolean, evaluated_at timestamptz)"
)
_INSERT = f"""
    INSERT INTO pricing_pricequote
        (market, received_at, message_id, event_id, market_time, sent_at, sell, buy, too_late, evaluated_at)
    SELECT %(market)s, %(now)s, m.* FROM {_ROWS} ON CONFLICT DO NOTHING RETURNING message_id
"""  # noqa: S608
_DATE_BACK = f"""
    UPDATE pricing_pricequote q SET market_time = e.market_time, sent_at = e.sent_at, sell = e.sell, buy = e.buy,
        too_late = q.received_at - e.sent_at >= make_interval(secs => %(seconds)s),
        evaluated_at = CASE WHEN q.received_at - e.sent_at >= make_interval(secs => %(seconds)s)
                        THEN coalesce(q.evaluated_at, %(now)s) END
    FROM (SELECT DISTINCT ON (event_id) * FROM {_ROWS} WHERE event_id IS NOT NULL ORDER BY event_id, sent_at) e
    WHERE q.market = %(market)s AND q.event_id = e.event_id AND e.sent_at < q.sent_at RETURNING q.event_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class IngestCounts:
    """What became of the messages of a batch; each has exactly one outcome."""

    quotes: int = 0
    duplicates: int = 0
    skipped: int = 0
    rejected: int = 0

    def __add__(self, other: "IngestCounts") -> "IngestCounts":
        """The counts of two batches together."""
        return IngestCounts(
            self.quotes + other.quotes,
            self.duplicates + other.duplicates,
            self.skipped + other.skipped,
            self.rejected + other.rejected,
        )

    @property
    def total(self) -> int:
        """How many messages these are."""
        return self.quotes + self.duplicates + self.skipped + self.rejected


@dataclass(frozen=True, slots=True)
class _Row:
    """A quote to be recorded; one that came too late is never swept again."""

    message_id: str
    quote: ParsedQuote
    sent_at: datetime
    received_at: datetime
    too_late: bool

    def as_json(self) -> dict[str, object]:
        """The row's columns, for `_ROWS`."""
        return {
            "message_id": self.message_id,
            "event_id": self.quote.event_id,
            "market_time": str(self.quote.market_time),
            "sent_at": self.sent_at.isoformat(),
            "sell": records.written_levels(self.quote.sell),
            "buy": records.written_levels(self.quote.buy),
            "too_late": self.too_late,
            "evaluated_at": self.received_at.isoformat() if self.too_late else None,
        }


def write(
    source: FeedSource, batch: Sequence[Received], now: datetime, began: datetime, drained_to: datetime | None
) -> IngestCounts:
    """Commit a batch received at `now` by a receive that began at `began`, in one transaction.

    What is there already (same message, same event) is a duplicate and changes nothing, unless its event was sent
    earlier than we knew. `drained_to` moves the feed
    forward, never back; None leaves it. Locks the feed's row, so that two pollers' batches follow one another.
    """
    with transaction.atomic():
        feed = _locked_feed(source.market)
        counts = _insert_quotes(source, batch, now) + _insert_rejected(source, batch, now)
        counts += IngestCounts(skipped=sum(isinstance(one.content, Skipped) for one in batch))
        if drained_to is not None and not (feed.in_flight_until and feed.in_flight_until > began):
            feed.drained_to = max(drained_to, feed.drained_to or drained_to)
        Feed.objects.filter(pk=feed.pk).update(
            drained_to=feed.drained_to,
            polled_at=max(now, feed.polled_at or now),
            received=F("received") + counts.total,
            quotes=F("quotes") + counts.quotes,
            duplicates=F("duplicates") + counts.duplicates,
            skipped=F("skipped") + counts.skipped,
            rejected=F("rejected") + counts.rejected,
        )
        failpoints.reach("ingest.recorded")
    return counts


def _locked_feed(market: Market) -> Feed:
    """The feed's row, locked; made if this is the first that is heard of it."""
    rows = Feed.objects.select_for_update().filter(market=market)
    found = rows.first()
    if found is None:
        Feed.objects.bulk_create([Feed(market=market)], ignore_conflicts=True)
        found = rows.get()
    return found


def _insert_quotes(source: FeedSource, batch: Sequence[Received], now: datetime) -> IngestCounts:
    max_age = records.freshness().max_age
    rows = [
        _Row(one.message_id, one.content, one.sent_at, now, too_late=now - one.sent_at >= max_age)
        for one in batch
        if isinstance(one.content, ParsedQuote) and one.sent_at is not None
    ]
    if not rows:
        return IngestCounts()
    with connection.cursor() as cursor:
        # As one JSON text: psycopg builds arrays of hundreds of values in Python.
        inserting = {"market": source.market.value, "now": now, "rows": json.dumps([row.as_json() for row in rows])}
        cursor.execute(_INSERT, inserting)
        new = len(cursor.fetchall())
    if new < len(rows):
        _date_back(source, rows, now, max_age)
    late = sum(row.too_late for row in rows)
    if late:
        log.warning("quotes_came_too_late", market=source.market.value, count=late)
    return IngestCounts(quotes=new, duplicates=len(rows) - new)


def _date_back(source: FeedSource, rows: Sequence[_Row], now: datetime, max_age: timedelta) -> None:
    """Of an event that came in several messages the earliest sent is the quote, in whatever order they reach us.

    Else a copy that overtakes the first message would move its price to a later instant, and hide a dip. The quote is
    unevaluated again, so that the next evaluation covers its new time, unless it was too late when first received.
    """
    dating = {
        "market": source.market.value,
        "now": now,
        "seconds": max_age.total_seconds(),
        "rows": json.dumps([row.as_json() for row in rows]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_DATE_BACK, dating)
        moved = [event_id for (event_id,) in cursor.fetchall()]
    if moved:
        log.info("events_dated_back", market=source.market.value, event_ids=moved)


def _insert_rejected(source: FeedSource, batch: Sequence[Received], now: datetime) -> IngestCounts:
    rows = [
        (one.message_id, escaped(one.body), escaped(one.content.reason), one.sent_at or now)
        for one in batch
        if isinstance(one.content, Unreadable)
    ]
    if not rows:
        return IngestCounts()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO pricing_rejectedmessage (market, queue, received_at, message_id, body, reason, sent_at)"
            " SELECT %s, %s, %s, * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[])"
            " ON CONFLICT DO NOTHING RETURNING message_id, reason",
            [source.market.value, source.queue, now, *(list(column) for column in zip(*rows, strict=True))],
        )
        new = cursor.fetchall()
    for message_id, reason in new:
        log.warning("message_rejected", market=source.market.value, message_id=message_id, reason=reason)
    return IngestCounts(rejected=len(new), duplicates=len(rows) - len(new))
