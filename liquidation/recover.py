"""Recovery: what was lost on the way is rung again. Rows say what is due; a bell too many changes nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import connection

from coruscant import clock, enqueue, failpoints
from liquidation import chains
from liquidation.claim import withdraw_failures
from liquidation.models import Liquidation, LiquidationStatus
from pricing import best_price, evaluation_window
from pricing.ingest import prune

log = structlog.get_logger(__name__)

#: More than workers can take up before the next run finds them rung already.
BATCH = 200
#: A rung row is not rung again before the bell had time to be answered; a bell that old is not answered any more.
ENQUEUED_AGAIN_AFTER = timedelta(seconds=15)

# Skipping rows that somebody holds is right here: whoever holds them is at work on them, and they stay due. The due
# time itself is left alone, so that it tells how late a sale really is.
# Materialized: as a subquery, a plan may run it again for every row, and note more rows than it chose.
_DUE = """
    WITH chosen AS MATERIALIZED (
        SELECT id FROM {table} WHERE {open} AND due_at <= %(now)s AND (enqueued_at IS NULL OR enqueued_at <= %(before)s)
        ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    UPDATE {table} SET enqueued_at = %(now)s FROM chosen WHERE {table}.id = chosen.id
    RETURNING {table}.{key}, {table}.due_at
"""
_DUE_SALES = _DUE.format(table="liquidation_liquidation", open="status = 'selling'", key="id")
_DUE_EVENTS = _DUE.format(table="liquidation_liquidationevent", open="sent_at IS NULL", key="liquidation_id")


def recover(limit: int = BATCH) -> int:
    """Ring what is due, oldest first and at most `limit` of each kind; return how many bells were rung.

    A row is noted as rung before the bell, so that a backlog is not rung twice. Failed claims that need no person any
    more are withdrawn.
    """
    now = clock.now()
    sales, events = _note(_DUE_SALES, now, limit), _note(_DUE_EVENTS, now, limit)
    failpoints.reach("recovery.noted")
    expires = ENQUEUED_AGAIN_AFTER.total_seconds()
    for pk in sales:
        enqueue.now(chains.sale(pk), expires=expires)
    for pk in events:
        enqueue.now(chains.publication(pk), expires=expires)
    if evaluation_window.anything_unevaluated(now):
        enqueue.now(chains.evaluation(), expires=expires)
    if prune.overdue():
        enqueue.now(chains.pruning(), expires=expires)
    point = best_price.current()
    if point.price is not None:
        withdraw_failures(point)
    if sales or events:
        log.info("recovery_enqueued", liquidations=len(sales), events=len(events))
    return len(sales) + len(events)


def take_due_sales(now: datetime, limit: int) -> list[int]:
    """The most overdue sales at `now` that no bell is on its way for, noted as rung.

    So workers pull a backlog as fast as they can work it off, however few bells were rung.
    """
    return _note(_DUE_SALES, now, limit)


def give_back(liquidation_ids: Sequence[int], taken_at: datetime) -> None:
    """Let sales that `take_due_sales` took at an instant, and nobody has rung for since, be taken by others at once."""
    Liquidation.objects.filter(pk__in=liquidation_ids, enqueued_at=taken_at).update(enqueued_at=None)


def any_due_sale() -> bool:
    """Whether `take_due_sales` would find one."""
    now = clock.now()
    due = Liquidation.objects.filter(status=LiquidationStatus.SELLING, due_at__lte=now)
    return due.exclude(enqueued_at__gt=now - ENQUEUED_AGAIN_AFTER).exists()


def mark_enqueued(liquidation_ids: Sequence[int]) -> None:
    """Note, in the caller's transaction, that bells for these sales are about to be rung."""
    Liquidation.objects.filter(pk__in=liquidation_ids).update(enqueued_at=clock.now())


def _note(sql: str, now: datetime, limit: int) -> list[int]:
    """Note rows as about to be rung; returns their keys, the most overdue first.

    The order matters: where workers are slower than bells, the last of them go unheard, and must not be the oldest.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, {"now": now, "before": now - ENQUEUED_AGAIN_AFTER, "limit": limit})
        return [key for key, _due_at in sorted(cursor.fetchall(), key=lambda row: row[1])]
