"""One poller per market at a time: a lock in the feed's row that expires by itself.

It only keeps pollers from working twice; recording is right without it. What it does decide: whether an empty receive
proves the queue drained. A poller that ended without having recorded all it received leaves messages that the queue
hides for the visibility time, and until that has passed no receive proves anything (`Feed.in_flight_until`).
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from coruscant import clock
from pricing.markets import Market
from pricing.models import Feed

log = structlog.get_logger(__name__)

# Beyond a poll's longest wait, for the receive's own time and for recording. A poller killed outright is replaced
# after at most that plus its wait.
MARGIN_SECONDS = 10


class PollingLock:
    """A poller's hold on one feed, or its attempt at it."""

    def __init__(self, market: Market, wait_seconds: int) -> None:
        """Nothing is taken yet; `wait_seconds` is the longest wait between two renewals."""
        self.market = market
        self.lasts = timedelta(seconds=wait_seconds + MARGIN_SECONDS)
        self.token = uuid.uuid4()
        self.has_it = False
        self.recorded = False

    def renewed(self) -> bool:
        """Take the lock or prolong it; False if another poller holds it, or has taken it over meanwhile."""
        if self.has_it and self._ours().update(polled_until=clock.now() + self.lasts):
            return True
        with transaction.atomic():
            Feed.objects.bulk_create([Feed(market=self.market)], ignore_conflicts=True)
            feed = Feed.objects.select_for_update().get(market=self.market)
            now = clock.now()
            theirs = feed.poller is not None and feed.poller != self.token
            if theirs and feed.polled_until is not None and feed.polled_until > now:
                self.has_it = False
                return False
            if theirs:
                log.warning("poller_gone", market=self.market.value, poller=str(feed.poller))
                feed.in_flight_until = now + timedelta(seconds=settings.SQS_VISIBILITY_SECONDS)
            feed.poller, feed.polled_until = self.token, now + self.lasts
            feed.save(update_fields=["poller", "polled_until", "in_flight_until"])
        self.has_it = True
        return True

    def all_recorded(self) -> None:
        """Say that nothing received under this lock is left unrecorded."""
        self.recorded = True

    def release(self) -> None:
        """Give the lock back, if it is still ours."""
        if not self.has_it:
            return
        left: dict[str, uuid.UUID | datetime | None] = {"poller": None, "polled_until": None}
        if not self.recorded:
            left["in_flight_until"] = clock.now() + timedelta(seconds=settings.SQS_VISIBILITY_SECONDS)
        self._ours().update(**left)
        self.has_it = False

    def _ours(self) -> "QuerySet[Feed]":
        """The feed's row, as long as nobody has taken the lock over."""
        return Feed.objects.filter(market=self.market, poller=self.token)


@contextmanager
def held(market: Market, *, wait_seconds: int) -> Iterator[PollingLock]:
    """A lock to renew before every receive, given back at the end of the block however it ends.

    If the database cannot be reached then, the lock expires by itself.
    """
    lock = PollingLock(market, wait_seconds)
    try:
        yield lock
    finally:
        lock.release()
