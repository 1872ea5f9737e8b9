"""The backlog after a crash: a worker that has finished one sale takes the next that is due."""

from datetime import timedelta

from coruscant import clock, doorbell
from liquidation import chains, recovery
from liquidation.sell import Outcome, sell

#: A task ends well before its soft time limit; the rest of the backlog has other workers, and recovery.
LONGEST_RUN = timedelta(seconds=15)


def work_off() -> int:
    """Sell what is due and rung for nobody, most overdue first, for a bounded time; return how many sales it took up.

    The events of those settled are rung one by one, since no chain carries them on.
    """
    began, taken = clock.now(), 0
    while clock.now() - began < LONGEST_RUN:
        liquidation_id = recovery.take_due_sale()
        if liquidation_id is None:
            break
        taken += 1
        if sell(liquidation_id) is Outcome.SETTLED:
            doorbell.ring(chains.publication(liquidation_id))
    return taken
