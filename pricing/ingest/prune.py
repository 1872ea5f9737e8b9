"""Removing quotes, and bodies of rejected messages, beyond their retention, in small batches."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, QuerySet

from coruscant import clock, failpoints, locks
from pricing import records
from pricing.ingest import rejected
from pricing.markets import Market
from pricing.models import Feed, PriceQuote

log = structlog.get_logger(__name__)

BATCH = 2000
# Half a million quotes a run and market: more than a day's, and well within a task's time limit.
MAX_BATCHES = 250
# Pruning runs once a day, so what is still there later was left by a run that died or never began.
_OVERDUE_AFTER = timedelta(hours=25)


def prune(*, batch: int = BATCH, max_batches: int = MAX_BATCHES) -> int:
    """Delete quotes older than QUOTE_RETENTION_DAYS; returns how many. Bodies of rejected messages expire as well.

    Unevaluated quotes, each market's newest quotes and the one that these are judged against stay, however old. Each
    batch is a transaction, which also adds to `Feed.pruned`. If another run is at work this one ends, since evaluations
    need the same worker.
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
    expired = rejected.expire(horizon, batch=batch, max_batches=max_batches)
    if expired:
        log.info("rejected_bodies_expired", count=expired, before=horizon.isoformat())
    return total


def overdue() -> bool:
    """Whether there is something that yesterday's run should have removed."""
    horizon = clock.now() - timedelta(days=settings.QUOTE_RETENTION_DAYS) - _OVERDUE_AFTER
    return rejected.overdue(horizon) or any(_old(market, horizon).exists() for market in Market)


def _prune_batch(market: Market, horizon: datetime, batch: int) -> int:
    """Delete up to `batch` of a market's old quotes; returns how many, 0 if another run is at work."""
    with transaction.atomic():
        if not locks.try_exclusive(locks.PRUNING):
            return 0
        Feed.objects.select_for_update().filter(market=market).first()  # locks in the same order as recording
        old = _old(market, horizon).order_by("sent_at").values_list("id", flat=True)
        deleted, _ = PriceQuote.objects.filter(pk__in=list(old[:batch])).delete()
        Feed.objects.filter(market=market).update(pruned=F("pruned") + deleted)
    return deleted


def _old(market: Market, horizon: datetime) -> QuerySet[PriceQuote]:
    """A market's quotes from before the horizon that may be deleted."""
    quotes = PriceQuote.objects.filter(market=market)
    newest = quotes.aggregate(at=Max("sent_at"))["at"]
    if newest is None:
        return quotes.none()
    # The newest quotes decide which one is current. Sales use the current curve of a market even if it is very old.
    before = min(horizon, newest - 2 * records.freshness().max_age)
    # Later quotes are judged against the one that was effective by then.
    anchors = quotes.filter(effective_from__lt=before).order_by("-effective_from", "-sent_at")
    anchor = anchors.values_list("sent_at", flat=True).first()
    return quotes.filter(sent_at__lt=min(before, anchor or before), evaluated_at__isnull=False)
