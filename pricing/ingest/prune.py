"""Removing old quotes, in small batches, so that the table stays as large as its retention."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max, QuerySet

from coruscant import clock, failpoints
from pricing import records
from pricing.markets import Market
from pricing.models import Feed, PriceQuote

log = structlog.get_logger(__name__)

BATCH = 2000
# Half a million quotes a run and market: beyond a day's worth, and well within a task's time limit.
MAX_BATCHES = 250
# Old quotes are removed once a day, so what stays for longer was left by a run that died or never began.
_OVERDUE_AFTER = timedelta(hours=25)
#: Key of an advisory lock: whoever prunes a batch holds it.
_LOCK = 7_301_002


def prune(*, batch: int = BATCH, max_batches: int = MAX_BATCHES) -> int:
    """Delete quotes older than QUOTE_RETENTION_DAYS; returns how many.

    Never those not yet swept, nor a market's newest quotes, however old they are. Counted in `Feed.pruned` in the same
    commit, one transaction a batch. Of two runs at once one ends: sweeps share their worker.
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
    """Whether there is something to be removed that the last day's run has left."""
    horizon = clock.now() - timedelta(days=settings.QUOTE_RETENTION_DAYS) - _OVERDUE_AFTER
    return any(_old(market, horizon).exists() for market in Market)


def _prune_batch(market: Market, horizon: datetime, batch: int) -> int:
    """Delete up to `batch` of a market's old quotes; returns how many, 0 if another run is at it."""
    with transaction.atomic():
        if not _alone():
            return 0
        Feed.objects.select_for_update().filter(market=market).first()  # the same order of locks as recording
        old = _old(market, horizon).order_by("sent_at").values_list("id", flat=True)
        deleted, _ = PriceQuote.objects.filter(pk__in=list(old[:batch])).delete()
        Feed.objects.filter(market=market).update(pruned=F("pruned") + deleted)
    return deleted


def _alone() -> bool:
    """Whether nobody else prunes, until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        found: tuple[bool] = cursor.fetchone()
    return found[0]


def _old(market: Market, horizon: datetime) -> QuerySet[PriceQuote]:
    """A market's quotes from before the horizon that may go."""
    theirs = PriceQuote.objects.filter(market=market)
    newest = theirs.aggregate(at=Max("sent_at"))["at"]
    if newest is None:
        return theirs.none()
    # The newest quotes tell which one stands, for the curve of a market that fell silent long ago.
    before = min(horizon, newest - 2 * records.freshness().max_age)
    return theirs.filter(sent_at__lt=before, evaluated_at__isnull=False)
