"""The backlog after a crash of prices: workers take sales that are due without waiting for a task for each."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from coruscant import clock, enqueue
from coruscant.outbox import BATCH
from liquidation import chains, publish, recover
from liquidation.sell import Outcome, sell

#: Short, so that the threads of a pool are soon free for other queues; what is left is enqueued again.
LONGEST_RUN = timedelta(seconds=5)
#: Sales taken at once, to be sold one after the other.
TAKEN_AT_ONCE = 8
#: When one of them has kept the others waiting for so long, they are given back to whoever is free.
LONGEST_WAIT_SECONDS = 1.0


def enqueue_if_any_due() -> None:
    """Enqueue the backlog if sales are due that no task is on its way for."""
    if recover.any_due_sale():
        expires = recover.ENQUEUED_AGAIN_AFTER.total_seconds()
        enqueue.now(chains.task("liquidation.sell_backlog"), expires=expires)


def sell_backlog() -> int:
    """Sell and publish what is due and not enqueued, most overdue first, for a short time; return how many were tried.

    So all workers share a backlog, however few tasks were sent. No chain publishes the events of these sales, so that
    is done here, several at a time; what SNS does not take stays due.
    """
    began, taken = clock.now(), 0
    now, settled = began, list[int]()
    while now - began < LONGEST_RUN:
        due = recover.take_due_sales(now, TAKEN_AT_ONCE)
        if not due:
            break
        taken += _sell_in_turn(due, now, settled)
        while len(settled) >= BATCH:
            publish.publish_all(settled[:BATCH])
            del settled[:BATCH]
        now = clock.now()
    else:
        enqueue_if_any_due()
    publish.publish_all(settled)
    return taken


def _sell_in_turn(due: Sequence[int], taken_at: datetime, settled: list[int]) -> int:
    """Sell what was taken at an instant, adding those settled; returns how many, since a slow market ends it early."""
    began = time.monotonic()
    for sold, liquidation_id in enumerate(due, 1):
        if sell(liquidation_id) is Outcome.SETTLED:
            settled.append(liquidation_id)
        if sold < len(due) and time.monotonic() - began > LONGEST_WAIT_SECONDS:
            recover.give_back(due[sold:], taken_at)
            return sold
    return len(due)
