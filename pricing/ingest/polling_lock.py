"""One poller per market at a time: a lock in the feed's row that expires by itself (docs/decisions/0017).

Recording is right without the lock; it only saves double work. But it decides whether an empty receive proves that the
queue is drained. A poller that ended before it recorded all it received leaves messages that the queue hides for
SQS_VISIBILITY_SECONDS. Until that has passed (`Feed.in_flight_until`) no receive proves anything.
"""

import uuid
from datetime import datetime, timedelta
from typing import Self

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from coruscant import clock
from pricing.markets import Market
from pricing.models import Feed

log = structlog.get_logger(__name__)

# Added to a receive's longest wait, for the rest of the receive and for recording. A killed poller is replaced after
# the sum of both at most.
MARGIN_SECONDS = 10


class PollingLock:
    """A poller's lock on one feed, to be renewed before every receive; `wait_seconds` is the longest wait of one.

    It is released when its block ends, however it ends. If the database cannot be reached then, it expires by itself.
    Set `all_recorded` once everything received under it is recorded.
    """

    def __init__(self, market: Market, *, wait_seconds: int) -> None:
        self.market = market
        self.duration = timedelta(seconds=wait_seconds + MARGIN_SECONDS)
        self.token = uuid.uuid4()
        self.all_recorded = False

    def __enter__(self) -> Self:
        return self

    def renew(self) -> bool:
        """Take the lock or prolong it; returns False if another poller holds it, or has taken it over meanwhile."""
        if self._ours().update(polled_until=clock.now() + self.duration):
            return True
        with transaction.atomic():
            feed, now = Feed.locked(self.market), clock.now()
            another = feed.poller is not None and feed.poller != self.token
            if another and feed.polled_until is not None and feed.polled_until > now:
                return False
            if another:
                log.warning("poller_gone", market=self.market.value, poller=str(feed.poller))
                feed.in_flight_until = now + timedelta(seconds=settings.SQS_VISIBILITY_SECONDS)
            feed.poller, feed.polled_until = self.token, now + self.duration
            feed.save(update_fields=["poller", "polled_until", "in_flight_until"])
        return True

    def __exit__(self, *_error: object) -> None:
        values: dict[str, datetime | None] = {"poller": None, "polled_until": None}
        if not self.all_recorded:
            values["in_flight_until"] = clock.now() + timedelta(seconds=settings.SQS_VISIBILITY_SECONDS)
        self._ours().update(**values)

    def _ours(self) -> "QuerySet[Feed]":
        """The feed's row while the lock is ours; nothing before, and once another poller has taken it over."""
        return Feed.objects.filter(market=self.market, poller=self.token)
