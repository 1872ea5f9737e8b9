"""Recovery: what was lost on the way is rung again. Rows say what is due; a bell too many changes nothing."""

from datetime import datetime, timedelta

import structlog
from django.db import connection

from coruscant import clock, doorbell, failpoints
from liquidation import chains
from pricing import sweeping

log = structlog.get_logger(__name__)

#: More than workers can take up before the next run finds them rung already.
BATCH = 200
#: A rung row is not rung again before the bell had time to be answered.
RUNG_AGAIN_AFTER = timedelta(seconds=15)

# Skipping rows that somebody holds is right here: whoever holds them is at work on them, and they stay due.
_RING_LIQUIDATIONS = """
    UPDATE liquidation_liquidation SET due_at = %(next)s WHERE id IN (
        SELECT id FROM liquidation_liquidation WHERE status = 'selling' AND due_at <= %(now)s
        ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) RETURNING id
"""
_RING_EVENTS = """
    SELECT liquidation_id FROM liquidation_liquidationevent
    WHERE sent_at IS NULL AND due_at <= %(now)s ORDER BY due_at LIMIT %(limit)s
"""


def recover(limit: int = BATCH) -> int:
    """Ring what is due, oldest first and at most `limit` of each kind; return how many bells were rung.

    Due times of liquidations move on before ringing, so that a backlog is not rung twice; events guard themselves.
    """
    now = clock.now()
    figures: dict[str, datetime | int] = {"now": now, "next": now + RUNG_AGAIN_AFTER, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_RING_LIQUIDATIONS, figures)
        liquidations = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(_RING_EVENTS, figures)
        events = [pk for (pk,) in cursor.fetchall()]
    failpoints.reach("recovery.moved_on")
    for pk in liquidations:
        doorbell.ring(chains.sale(pk))
    for pk in events:
        doorbell.ring(chains.publication(pk))
    if sweeping.anything_unswept():
        doorbell.ring(chains.sweep())
    if liquidations or events:
        log.info("recovery_rang", liquidations=len(liquidations), events=len(events))
    return len(liquidations) + len(events)
