"""From a market's queue into the database: receive, record, announce, delete, in this order.

A message is deleted only after what it says is committed. After a crash at any point it comes again, perhaps as a
duplicate, which changes nothing. One poller per market works at a time; two at once would still be right.
"""

import math
import time
from datetime import datetime, timedelta

import structlog

from coruscant import aws, clock, failpoints, missing
from pricing import best_price
from pricing.feeds import FEEDS
from pricing.ingest import provision, queue, record
from pricing.ingest.polling_lock import PollingLock
from pricing.ingest.record import IngestCounts
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.signals import quotes_recorded

log = structlog.get_logger(__name__)

# How long one poll goes on. Short enough that a worker stops soon when asked to, and far below the soft time limit of
# 50 s. Long enough that starting polls costs nothing; the task enqueues the next one at its end.
POLL_SECONDS = 15
# A receive returns at once when there is a message, so waiting longer only delays the end of the poll and, should this
# worker be killed, the expiry of its lock.
WAIT_SECONDS = 5
#: While the queue is full, several transactions are announced at once, but no later than this.
ANNOUNCED_WITHIN = timedelta(seconds=0.2)


def poll(market: Market, *, seconds: int = POLL_SECONDS, wait_seconds: int = WAIT_SECONDS) -> IngestCounts:
    """Long-poll a market's queue for `seconds`, at least once; returns the outcomes of the messages received.

    Each receive waits for `wait_seconds` (1 to 10) at most. It never waits for 0 unless there are quotes to announce: a
    short poll that finds nothing proves nothing. While the queue is full, many messages are recorded in one transaction
    (see `queue.gather`), and quotes are announced every ANNOUNCED_WITHIN. A crash before that leaves unevaluated
    quotes, which the scheduled evaluation finds.

    Does nothing while another poller has the feed's lock. A missing queue is noted and ends the poll; it is made again
    if SQS is an emulator that forgets. Raises what the database or SQS raise when they cannot be reached; messages not
    yet recorded then come again.
    """
    source, counts, end = FEEDS[market], IngestCounts(), time.monotonic() + seconds
    wait_seconds = max(1, min(wait_seconds, aws.LONGEST_POLL_SECONDS))
    with PollingLock(market, wait_seconds=wait_seconds) as lock:
        unannounced_since: datetime | None = None
        while lock.renew():
            failpoints.reach("ingest.locked")
            began = clock.now()
            # With quotes to announce there is no time to wait: is there more at once?
            wait = 0 if unannounced_since is not None else max(1, min(wait_seconds, math.ceil(end - time.monotonic())))
            try:
                gathered = queue.gather(source, wait)
            except queue.QueueMissing:
                log.error("queue_missing", market=market.value, queue=source.queue)  # noqa: TRY400  (says it all)
                missing.note(source.queue)
                provision.provision_again(source)
                break
            failpoints.reach("ingest.received")
            now = clock.now()
            if gathered.messages or (wait and not gathered.failure):
                recorded = record.record_batch(source, gathered.messages, now, began)
                counts += recorded
                unannounced_since = unannounced_since or (now if recorded["quotes"] else None)
            if not gathered.queue_is_full or unannounced_since is None or now - unannounced_since >= ANNOUNCED_WITHIN:
                announce(quotes=unannounced_since is not None)
                unannounced_since = None
            queue.delete(source, gathered.messages)
            failpoints.reach("ingest.deleted")
            if gathered.failure:
                log.warning("prices_not_received", market=market.value, queue=source.queue, error=str(gathered.failure))
                # The answer that was lost may have held messages: the lock is given back with not all of them recorded.
                raise gathered.failure
            if time.monotonic() >= end:
                break
        lock.all_recorded = True
    if unannounced_since is not None:
        announce(quotes=True)
    return counts


def poll_to_the_end(market: Market) -> bool:
    """Poll for POLL_SECONDS; returns whether it lasted so long, so that the next poll should follow at once.

    It did not if another poller has the feed's lock, or the queue is missing.
    """
    began = time.monotonic()
    poll(market)
    return time.monotonic() - began >= POLL_SECONDS


def announce(*, quotes: bool) -> None:
    """Refresh the best price from what is committed and, if there are new `quotes`, send `quotes_recorded`."""
    best_price.refresh()
    if quotes:
        quotes_recorded.send_robust(sender=PriceQuote)
    failpoints.reach("ingest.announced")
