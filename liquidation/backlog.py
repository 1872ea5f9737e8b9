"""The backlog after a crash: a worker that has finished one sale rings for the next that is due."""

from datetime import timedelta

from coruscant import clock, doorbell
from liquidation import chains, publish, recovery
from liquidation.sell import Outcome, sell

#: Short, so that the threads of a pool are soon free for other queues; what is left is rung for again.
LONGEST_RUN = timedelta(seconds=5)


def ring_for_more() -> None:
    """Ring for a worker if sales are due that no bell is on its way for."""
    if recovery.any_due_sale():
        doorbell.ring(chains.backlog(), expires=recovery.RUNG_AGAIN_AFTER.total_seconds())


def work_off() -> int:
    """Sell and publish what is due and rung for nobody, most overdue first, for a short time; return how many.

    However few bells were rung in a crash of prices, so many workers as there are work it off. No chain carries
    these sales on, so their events are published here, several at a time; what SNS does not take stays due.
    """
    began, taken = clock.now(), 0
    now, settled = began, list[int]()
    while now - began < LONGEST_RUN:
        liquidation_id = recovery.take_due_sale(now)
        if liquidation_id is None:
            break
        taken += 1
        if sell(liquidation_id) is Outcome.SETTLED:
            settled.append(liquidation_id)
        if len(settled) == publish.BATCH:
            publish.publish_all(settled)
            settled.clear()
        now = clock.now()
    else:
        ring_for_more()
    publish.publish_all(settled)
    return taken
