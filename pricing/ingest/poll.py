"""From the queue into the database: receive, record, delete, in this order.

A message is deleted only after what it said is committed, so a crash at any point means that it comes again, and what
comes again is a duplicate that changes nothing. One poller per market at a time; two at once are still right.
"""

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.db import DataError, IntegrityError

from coruscant import aws, clock, failpoints
from pricing import best_price
from pricing.feeds import FEEDS, FeedSource
from pricing.feeds.event import Unreadable
from pricing.ingest import polling_lock, record
from pricing.ingest.message import Received, read
from pricing.ingest.queue import QueueMissing, forget_urls, queue_url
from pricing.ingest.record import IngestCounts
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.signals import quotes_recorded

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

log = structlog.get_logger(__name__)

# How long one poll goes on. Short enough that a worker told to stop is done soon and far below the soft time limit
# of 50 s, long enough that starting polls costs nothing; the next one is rung for at its end.
POLL_SECONDS = 15
# A receive returns at once when there is a message, so waiting longer only delays the end of the poll and, should this
# worker be killed, the expiry of its lock.
WAIT_SECONDS = 5
#: As many as SQS hands out, and deletes, at once.
BATCH = 10
#: While the queue is full, up to so many messages are received before they are recorded in one transaction …
GATHERED = 200
#: … unless that takes longer: where SQS is slow, a price must not wait for those behind it.
GATHERED_WITHIN_SECONDS = 0.2
#: While the queue is full, the news of several transactions are told at once, but no later than this.
ANNOUNCED_WITHIN = timedelta(seconds=0.2)


def poll(market: Market, *, seconds: int = POLL_SECONDS, wait_seconds: int = WAIT_SECONDS) -> IngestCounts:
    """Long-poll a market's queue for `seconds`, at least once; returns what became of the messages received.

    Each receive waits `wait_seconds` (1 to 10) at most: never 0, since a short poll that finds nothing proves nothing.
    While the queue is full, up to GATHERED messages are recorded at a time, and news are announced every
    ANNOUNCED_WITHIN; a crash in between leaves unevaluated quotes, which the sweep finds on its schedule. Does nothing
    while another poller holds the feed. A queue that is missing is logged and ends the poll. Raises what the database
    or SQS raise when they cannot be reached; messages not recorded then come again.
    """
    source, counts, end = FEEDS[market], IngestCounts(), time.monotonic() + seconds
    wait_seconds = max(1, min(wait_seconds, aws.LONGEST_POLL_SECONDS))
    with polling_lock.held(market, wait_seconds=wait_seconds) as lock:
        left: float = seconds
        untold: datetime | None = None  # since when there are quotes that nobody has been told of
        while lock.renewed():
            failpoints.reach("ingest.locked")
            began = clock.now()
            # With news to tell there is no time to wait: is there more at once?
            wait = 0 if untold is not None else max(1, min(wait_seconds, math.ceil(left)))
            try:
                messages, queue_is_full, failure = _gather(source, wait)
            except QueueMissing:
                log.error("queue_missing", market=market.value, queue=source.queue)  # noqa: TRY400  (says it all)
                break
            failpoints.reach("ingest.received")
            now = clock.now()
            if messages or (wait and not failure):
                found = _record(market, messages, now, began)
                counts += found
                untold = untold or (now if found.quotes else None)
            if not queue_is_full or untold is None or now - untold >= ANNOUNCED_WITHIN:
                announce(quotes=untold is not None)
                untold = None
            _delete(source, messages)
            failpoints.reach("ingest.deleted")
            if failure:
                # SQS may have handed out messages in the answer that was lost: the lock is given back as by a poller
                # that has not recorded all it received.
                log.warning("prices_not_received", market=market.value, queue=source.queue, error=str(failure))
                raise failure
            left = end - time.monotonic()
            if left <= 0:
                break
        lock.all_recorded()
    if untold is not None:
        announce(quotes=True)
    return counts


def poll_to_the_end(market: Market) -> bool:
    """Poll for as long as a poll goes on; say whether it did, so that the next one should follow at once.

    It did not if another poller holds the feed, or the queue is missing.
    """
    began = time.monotonic()
    poll(market)
    return time.monotonic() - began >= POLL_SECONDS


def record_messages(
    market: Market, messages: Sequence[Mapping[str, Any]], now: datetime, *, began: datetime | None = None
) -> IngestCounts:
    """Commit what `messages` (as SQS gives them) say, received at `now`; then refresh the board and ring the sweep.

    `began` is when their receive began (default `now`): if it brought nothing, the queue is drained up to then. A
    batch that the database refuses is redone message by message, and the culprit is kept as a RejectedMessage.
    Idempotent.
    """
    counts = _record(market, messages, now, began or now)
    announce(quotes=bool(counts.quotes))
    return counts


def announce(*, quotes: bool) -> None:
    """Refresh the board from what is committed and, if there are new `quotes`, ring the sweep."""
    best_price.refresh()
    if quotes:
        quotes_recorded.send_robust(sender=PriceQuote)
    failpoints.reach("ingest.announced")


def _record(market: Market, messages: Sequence[Mapping[str, Any]], now: datetime, began: datetime) -> IngestCounts:
    """Commit what messages say, and tell nobody yet."""
    source, began = FEEDS[market], min(began, now)
    basis = getattr(settings, source.price_basis_setting)
    batch = [read(source, basis, message, now) for message in messages]
    if ahead := sum(one.ahead for one in batch):
        log.warning("queue_clock_ahead", market=market.value, count=ahead)
    # SQS hands out as few as it likes, and a newer one before an older one: only an empty receive proves anything.
    drained_to = None if batch else began
    try:
        counts = record.write(source, batch, now, began, drained_to)
    except (DataError, IntegrityError) as error:
        log.warning("batch_refused", market=market.value, count=len(batch), error=str(error))
        counts = _one_by_one(source, batch, now, began)
    failpoints.reach("ingest.committed")
    return counts


def _one_by_one(source: FeedSource, batch: Sequence[Received], now: datetime, began: datetime) -> IngestCounts:
    """Record each message for itself; what the database refuses is kept for a person with its words."""
    counts = IngestCounts()
    for one in batch:
        try:
            counts += record.write(source, [one], now, began, None)
        except (DataError, IntegrityError) as error:
            culprit = replace(one, content=Unreadable(f"the database refused it: {error}"))
            counts += record.write(source, [culprit], now, began, None)
    return counts


def _gather(source: FeedSource, wait_seconds: int) -> "tuple[list[MessageTypeDef], bool, Exception | None]":
    """What one receive brings, and what more is there at once if the queue is full, within bounds.

    Also whether it still seems to be full, and the failure of a receive: what has come before that is to be recorded
    first. Raises QueueMissing if there is nothing to be received from.
    """
    found: list[MessageTypeDef] = []
    try:
        batch = found = _receive(source, wait_seconds)
        end = time.monotonic() + GATHERED_WITHIN_SECONDS
        while len(batch) == BATCH and len(found) < GATHERED and time.monotonic() < end:
            batch = _receive(source, 0)
            found = [*found, *batch]
    except QueueMissing:
        if not found:
            raise
        return found, False, None
    except aws.FAILURES as error:
        return found, False, error
    return found, len(batch) == BATCH, None


def _receive(source: FeedSource, wait_seconds: int) -> "list[MessageTypeDef]":
    """Up to ten messages. Raises QueueMissing when there is no such queue, looked up anew once."""
    for attempt in (1, 2):
        client, url = aws.sqs(), queue_url(source.queue)
        try:
            answer = client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=settings.SQS_VISIBILITY_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
        except client.exceptions.QueueDoesNotExist:
            forget_urls()
            if attempt == 1:
                continue
            break
        return answer.get("Messages", [])
    raise QueueMissing(source.queue)


def _delete(source: FeedSource, messages: "Sequence[MessageTypeDef]") -> None:
    """Delete recorded messages; those that cannot be are logged, come again and are duplicates."""
    entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
        {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
        for index, message in enumerate(messages)
        if message.get("ReceiptHandle")
    ]
    with suppress(QueueMissing):
        for _attempt in (1, 2):
            failed: set[str] = set()
            for first in range(0, len(entries), BATCH):
                failed |= _delete_batch(queue_url(source.queue), entries[first : first + BATCH])
            entries = [entry for entry in entries if entry["Id"] in failed]
    if entries:
        log.warning("messages_not_deleted", market=source.market.value, count=len(entries))


def _delete_batch(url: str, entries: "Sequence[DeleteMessageBatchRequestEntryTypeDef]") -> set[str]:
    """Delete a batch; returns the ids of the entries that failed."""
    try:
        answer = aws.sqs().delete_message_batch(QueueUrl=url, Entries=entries)
    except aws.FAILURES as error:
        log.warning("delete_failed", error=str(error))
        return {entry["Id"] for entry in entries}
    return {entry["Id"] for entry in answer.get("Failed", [])}
