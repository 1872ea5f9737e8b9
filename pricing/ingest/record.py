"""Recording a batch of received messages: quotes, rejected messages and the feed's counters, in one transaction."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import structlog
from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import F

from coruscant import failpoints
from coruscant.text import escaped
from pricing import records
from pricing.feeds import FeedSource
from pricing.feeds.event import ParsedQuote, Skipped, Unreadable
from pricing.ingest import rejected
from pricing.ingest.message import Received, digest, read
from pricing.models import Feed, PriceQuote, RejectedMessage

log = structlog.get_logger(__name__)

# The rows come as one JSON text: psycopg would build arrays of hundreds of values in Python.
_INSERT = """
    INSERT INTO pricing_pricequote
        (market, received_at, message_id, event_id, market_time, sent_at, sell, buy, too_late, evaluated_at)
    SELECT %(market)s, %(now)s, row.* FROM jsonb_to_recordset(%(rows)s::jsonb) AS row(
        message_id text, event_id text, market_time numeric, sent_at timestamptz,
        sell jsonb, buy jsonb, too_late boolean, evaluated_at timestamptz
    )
    ON CONFLICT DO NOTHING RETURNING message_id
"""


#: What changes of an event that was sent earlier than we knew.
_DATED_BACK = (
    "market_time", "sent_at", "sell", "buy", "too_late", "evaluated_at", "effective_from", "alone", "confirmed_by",
)  # fmt: skip
OUTCOMES = ("quotes", "duplicates", "skipped", "rejected")
#: How many messages of a batch had which of the OUTCOMES; each message has exactly one.
IngestCounts = Counter[str]


def record_batch(
    source: FeedSource, messages: Sequence[Mapping[str, Any]], now: datetime, began: datetime
) -> IngestCounts:
    """Commit what messages (as SQS gives them) say, received at `now` by a receive that began at `began`.

    If there are none, the queue is drained up to `began`. A batch that the database refuses is recorded again message
    by message, and the culprit is kept as a RejectedMessage. Idempotent. Announces nothing.
    """
    began = min(began, now)
    basis = settings.MARKET_PRICE_BASIS[source.market]
    batch = [read(source, basis, message, now) for message in messages]
    if ahead := sum(one.ahead for one in batch):
        log.warning("queue_clock_ahead", market=source.market.value, count=ahead)
    # SQS hands out as few as it likes, and a newer one before an older one: only an empty receive proves anything.
    drained_to = None if batch else began
    try:
        counts = write(source, batch, now, began, drained_to)
    except (DataError, IntegrityError) as error:
        log.warning("batch_refused", market=source.market.value, count=len(batch), error=str(error))
        counts = _one_by_one(source, batch, now, began)
    failpoints.reach("ingest.committed")
    return counts


def write(
    source: FeedSource, batch: Sequence[Received], now: datetime, began: datetime, drained_to: datetime | None
) -> IngestCounts:
    """Commit a batch received at `now` by a receive that began at `began`, in one transaction.

    A message or event that is recorded already is a duplicate. It changes nothing, except that an event which was sent
    earlier than we knew is dated back. `drained_to` moves the feed forward, never back; None leaves it. Locks the
    feed's row, so the batches of two pollers follow one another.
    """
    with transaction.atomic():
        feed = Feed.locked(source.market)
        counts = _insert_quotes(source, batch, now) + _insert_rejected(source, batch, now)
        counts += IngestCounts(skipped=sum(isinstance(one.content, Skipped) for one in batch))
        if drained_to is not None and not (feed.in_flight_until and feed.in_flight_until > began):
            feed.drained_to = max(drained_to, feed.drained_to or drained_to)
        Feed.objects.filter(pk=feed.pk).update(
            drained_to=feed.drained_to,
            polled_at=max(now, feed.polled_at or now),
            received=F("received") + counts.total(),
            **{outcome: F(outcome) + counts[outcome] for outcome in OUTCOMES},
        )
        failpoints.reach("ingest.recorded")
    return counts


def _one_by_one(source: FeedSource, batch: Sequence[Received], now: datetime, began: datetime) -> IngestCounts:
    """Commit each message by itself. One that the database refuses is kept as a RejectedMessage with the reason."""
    counts = IngestCounts()
    for one in batch:
        try:
            counts += write(source, [one], now, began, None)
        except (DataError, IntegrityError) as error:
            culprit = replace(one, content=Unreadable(f"the database refused it: {error}"))
            counts += write(source, [culprit], now, began, None)
    return counts


def _insert_quotes(source: FeedSource, batch: Sequence[Received], now: datetime) -> IngestCounts:
    max_age = records.freshness().max_age
    rows = [
        _row(one.message_id, one.content, one.sent_at, now, too_late=now - one.sent_at >= max_age)
        for one in batch
        if isinstance(one.content, ParsedQuote) and one.sent_at is not None
    ]
    if not rows:
        return IngestCounts()
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"market": source.market.value, "now": now, "rows": json.dumps(rows, default=str)})
        new = len(cursor.fetchall())
    if new < len(rows):
        _date_back(source, rows, now, max_age)
    late = sum(row["too_late"] for row in rows)
    if late:
        log.warning("quotes_came_too_late", market=source.market.value, count=late)
    return IngestCounts(quotes=new, duplicates=len(rows) - new)


def _row(message_id: str, quote: ParsedQuote, sent_at: datetime, now: datetime, *, too_late: bool) -> dict[str, Any]:
    """The columns of `_INSERT`. A quote that is too late is evaluated from the start: no loan is evaluated by it."""
    return {
        "message_id": message_id,
        "event_id": quote.event_id,
        "market_time": quote.market_time,
        "sent_at": sent_at,
        "sell": records.written_levels(quote.sell),
        "buy": records.written_levels(quote.buy),
        "too_late": too_late,
        "evaluated_at": now if too_late else None,
    }


def _date_back(source: FeedSource, rows: Sequence[dict[str, Any]], now: datetime, max_age: timedelta) -> None:
    """Of an event that comes in several messages keep the one sent first, in whatever order they reach us.

    Otherwise a copy that overtakes the first message would move its price to a later instant, and hide a dip. The quote
    becomes unevaluated again, so that the next evaluation covers its new time, unless that makes it too late.
    """
    first: dict[str | None, dict[str, Any]] = {}
    for row in sorted(rows, key=itemgetter("sent_at")):
        first.setdefault(row["event_id"], row)
    # The lock on the feed's row keeps others from changing these meanwhile.
    recorded = PriceQuote.objects.filter(market=source.market, event_id__in=first)
    dated_back = [quote for quote in recorded if first[quote.event_id]["sent_at"] < quote.sent_at]
    for quote in dated_back:
        for column in ("market_time", "sent_at", "sell", "buy"):
            setattr(quote, column, first[quote.event_id][column])
        quote.too_late = quote.received_at - quote.sent_at >= max_age
        quote.evaluated_at = (quote.evaluated_at or now) if quote.too_late else None
        quote.effective_from, quote.alone, quote.confirmed_by = None, "", ""
        quote.save(update_fields=_DATED_BACK)
    if dated_back:
        log.info("events_dated_back", market=source.market.value, event_ids=[quote.event_id for quote in dated_back])


def _insert_rejected(source: FeedSource, batch: Sequence[Received], now: datetime) -> IngestCounts:
    unreadable = [one for one in batch if isinstance(one.content, Unreadable)]
    if not unreadable:
        return IngestCounts()
    new: dict[str, RejectedMessage] = {}
    for one in unreadable:
        row = RejectedMessage(market=source.market.value, queue=source.queue, message_id=one.message_id)
        row.body, row.body_sha256 = rejected.kept(one.body), digest(one.body)
        row.reason = escaped(str(one.content))
        row.sent_at, row.received_at = one.sent_at or now, now
        new.setdefault(one.message_id, row)
    recorded = RejectedMessage.objects.filter(queue=source.queue, message_id__in=new)
    for known in recorded.values_list("message_id", flat=True):
        del new[known]
    RejectedMessage.objects.bulk_create(new.values())
    for row in new.values():
        log.warning("message_rejected", market=row.market, message_id=row.message_id, reason=row.reason)
    return IngestCounts(rejected=len(new), duplicates=len(unreadable) - len(new))
