"""Recovery: enqueue again what is due and has no task. Duplicate tasks are harmless, since the rows decide."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from coruscant import clock, enqueue, failpoints
from coruscant.any_of import AnyOf
from coruscant.restores import identity
from liquidation import chains
from liquidation.claim import withdraw_failures
from liquidation.models import Liquidation, LiquidationEvent
from pricing import best_price, evaluation_window
from pricing.ingest import prune

log = structlog.get_logger(__name__)

#: More than workers can take up before the next run finds them enqueued already.
BATCH = 200
#: A row is not enqueued again before its task had time to be run; a task that old is dropped.
ENQUEUED_AGAIN_AFTER = timedelta(seconds=15)

# A literal: with the status as a parameter, the one plan of a prepared statement misses the index of what is due.
_SELLING = Liquidation.objects.filter(
    RawSQL("status = 'selling'", (), output_field=BooleanField()), held_by__isnull=True
)
_UNSENT = LiquidationEvent.objects.filter(sent_at__isnull=True, liquidation__held_by__isnull=True)


def recover(limit: int = BATCH) -> int:
    """Enqueue what is due, the most overdue first, until `limit` of each kind wait; return how many sales and events.

    Workers take tasks in the order in which they were sent, so more than can be run before they expire would keep a
    worker busy with dropping them, for ever. What is waiting is counted before anything is marked.

    A row is marked as enqueued before its task is sent, so that a backlog is not enqueued twice. An evaluation and a
    pruning that are due are enqueued as well. Failed claims that need no person any more are withdrawn. Nothing is done
    while the database is not the accepted one.
    """
    if not identity.accepted():
        return 0
    room = {queue: max(0, limit - enqueue.waiting(queue)) for queue in ("liquidations", "events")}
    now = clock.now()
    sales = take_due_sales(now, room["liquidations"])
    events = _take_due(_UNSENT.all(), "liquidation_id", now, room["events"])
    failpoints.reach("recovery.marked")
    expires = ENQUEUED_AGAIN_AFTER.total_seconds()
    for pk in sales:
        enqueue.now(chains.sale(pk), expires=expires)
    for pk in events:
        enqueue.now(chains.publication(pk), expires=expires)
    if evaluation_window.anything_unevaluated(now):
        enqueue.now(chains.task("liquidation.evaluate_loans"), expires=expires)
    if prune.overdue():
        enqueue.now(chains.task("pricing.prune_quotes"), expires=expires)
    point = best_price.current()
    if point.price is not None:
        withdraw_failures(point)
    if sales or events:
        log.info("recovery_enqueued", liquidations=len(sales), events=len(events))
    return len(sales) + len(events)


def take_due_sales(now: datetime, limit: int) -> list[int]:
    """Mark up to `limit` sales that are due at `now` as enqueued; returns them, the most overdue first."""
    return _take_due(_SELLING.all(), "pk", now, limit)


def give_back(liquidation_ids: Sequence[int], taken_at: datetime) -> None:
    """Let others take at once the sales that `take_due_sales` took at an instant and that were not enqueued since."""
    Liquidation.objects.filter(pk__in=liquidation_ids, enqueued_at=taken_at).update(enqueued_at=None)


def any_due_sale() -> bool:
    """Whether `take_due_sales` would find one."""
    return _due(_SELLING.all(), clock.now()).exists()


def mark_enqueued(liquidation_ids: Sequence[int]) -> None:
    """Mark, in the caller's transaction, that tasks for these sales are about to be sent."""
    Liquidation.objects.filter(AnyOf("pk", liquidation_ids)).update(enqueued_at=clock.now())


def _due(rows: "QuerySet[Any]", now: datetime) -> "QuerySet[Any]":
    """Rows that are due and have no task on its way."""
    not_enqueued = Q(enqueued_at__isnull=True) | Q(enqueued_at__lte=now - ENQUEUED_AGAIN_AFTER)
    return rows.filter(not_enqueued, due_at__lte=now)


def _take_due(rows: "QuerySet[Any]", key: str, now: datetime, limit: int) -> list[int]:
    """Mark due rows as enqueued; returns their keys, the most overdue first.

    Locked rows are skipped: whoever holds them is at work on them, and they stay due. The due time is left alone, so
    that it shows how late a sale really is. The order matters: where workers are slower than recovery, the last tasks
    expire, and must not be those of the oldest rows.
    """
    with transaction.atomic():
        due = (
            _due(rows, now).select_for_update(skip_locked=True, of=("self",)).order_by("due_at").values_list("pk", key)
        )
        found = list(due[:limit])
        rows.model.objects.filter(AnyOf("pk", (pk for pk, _key in found))).update(enqueued_at=now)
    return [value for _pk, value in found]
