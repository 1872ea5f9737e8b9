"""Removing old quotes, in small batches, so that the table stays as large as its retention."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, QuerySet

from coruscant import clock, failpoints
from pricing import records
from pricing.markets import Market
from pricing.models import Feed, PriceQuote

log = structlog.get_logger(__name__)

BATCH = 2000
# Half a million quotes a run and market: beyond a day's worth, and well within a task's time limit.
MAX_BATCHES = 250
# Nobody is late by a day: that is how often old quotes are removed.
_OVERDUE_AFTER = timedelta(hours=25)


def prune(*, batch: int = BATCH, max_batches: int = MAX_BATCHES) -> int:
    """Delete quotes older than QUOTE_RETENTION_DAYS; returns how many.

    Never those not yet swept, nor a market's newest quotes, however old they are. Counted in `Feed.pruned` in the same
    commit, one transaction a batch.
    """
    horizon = clock.now() - timedelta(days=settings.QUOTE_RETENTION_DAYS)
    total = 0
    for market in Market:
        for _ in range(max_batches):
            deleted = _prune_batch(market, horizon, batch)
            total += deleted
            failpoints.reach("pruning.committed")
            if deleted < batch:
                break
    log.info("quotes_pruned", count=total, before=horizon.isoformat())
    return total


def overdue() -> bool:
    """Whether old quotes have stayed for longer than a day: a run died or was never begun."""
    horizon = clock.now() - timedelta(days=settings.QUOTE_RETENTION_DAYS) - _OVERDUE_AFTER
    return any(_old(market, horizon).exists() for market in Market)


def _prune_batch(market: Market, horizon: datetime, batch: int) -> int:
    with transaction.atomic():
        Feed.objects.select_for_update().filter(market=market).first()  # the same order of locks as recording
        old = _old(market, horizon).order_by("sent_at").values_list("id", flat=True)
        deleted, _ = PriceQuote.objects.filter(pk__in=list(old[:batch])).delete()
        Feed.objects.filter(market=market).update(pruned=F("pruned") + deleted)
    return deleted


def _old(market: Market, horizon: datetime) -> QuerySet[PriceQuote]:
    """A market's quotes from before the horizon that may go."""
    theirs = PriceQuote.objects.filter(market=market)
    newest = theirs.aggregate(at=Max("sent_at"))["at"]
    if newest is None:
        return theirs.none()
    # The newest quotes tell which one stands, for the curve of a market that fell silent long ago.
    before = min(horizon, newest - 2 * records.freshness().max_age)
    return theirs.filter(sent_at__lt=before, swept_at__isnull=False)
