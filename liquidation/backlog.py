"""The backlog after a crash: a worker that has finished one sale rings for the next that is due."""

from datetime import timedelta

import structlog

from coruscant import clock, doorbell
from liquidation import chains, recovery
from liquidation.errors import EventNotSent
from liquidation.publish import publish
from liquidation.sell import Outcome, sell

log = structlog.get_logger(__name__)

#: Short, so that the threads of a pool are soon free for other queues; what is left is rung for again.
LONGEST_RUN = timedelta(seconds=5)


def ring_for_more() -> None:
    """Ring for a worker if sales are due that no bell is on its way for."""
    if recovery.any_due_sale():
        doorbell.ring(chains.backlog(), expires=recovery.RUNG_AGAIN_AFTER.total_seconds())


def work_off() -> int:
    """Sell and publish what is due and rung for nobody, most overdue first, for a short time; return how many.

    However few bells were rung in a crash of prices, so many workers as there are work it off.
    """
    began, taken = clock.now(), 0
    while clock.now() - began < LONGEST_RUN:
        liquidation_id = recovery.take_due_sale()
        if liquidation_id is None:
            return taken
        taken += 1
        if sell(liquidation_id) is Outcome.SETTLED:
            _publish(liquidation_id)
    ring_for_more()
    return taken


def _publish(liquidation_id: int) -> None:
    """Publish at once: no chain carries this sale on. What SNS does not take stays due."""
    try:
        publish(liquidation_id)
    except EventNotSent:
        log.info("event_left_to_recovery", liquidation_id=liquidation_id)
