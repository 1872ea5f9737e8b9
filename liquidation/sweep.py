"""Sweep: judge all loans by the prices that nobody has judged them by yet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import connection, transaction

from coruscant import clock, doorbell, failpoints
from liquidation import chains
from liquidation.claim import START, ClaimedBatch, Place, claim_batch
from loans import price_moves, services
from pricing import sweeping
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

#: One sweep at a time does the work; the number is any that nothing else uses.
_SWEEP_LOCK = 7_301_001
#: So many sales are rung at once after a crash; workers and recovery pull the rest, which are due at once.
RUNG_PER_SWEEP = 64


class _LockIsTaken(Exception):  # not an error: another sweep is at it
    """Another sweep holds the lock; it will look again after letting go."""


def sweep() -> bool:
    """Judge all loans by the quotes not yet swept, until there are none; return whether this call did the work.

    At every low of the window: claim, then warn. At the last price: activate, clear, claim, warn. Each batch is a
    transaction under a try-lock; the quotes are marked as swept only after the last one, so a sweep that dies is
    done again. Without unswept quotes the present price alone is looked at: a quote may have died meanwhile.
    """
    try:
        while True:
            _sweep_once()
            if not sweeping.anything_unswept():
                return True
    except _LockIsTaken:
        return False


def _sweep_once() -> None:
    with _batch():
        window = sweeping.open_window(clock.now())
    services.wait_for_activations()
    failpoints.reach("sweep.window_opened")
    rung = 0
    for low in window.lows:
        rung += _claim(low, RUNG_PER_SWEEP - rung)
        _repeat(price_moves.warn_loans, low)
    if window.last.price is not None:
        _repeat(price_moves.activate_loans, window.last)
        _repeat(price_moves.clear_warnings, window.last)
        _claim(window.last, RUNG_PER_SWEEP - rung)
        _repeat(price_moves.warn_loans, window.last)
    if window.quote_ids:
        with _batch():
            sweeping.mark_swept(window.quote_ids, window.until)
            failpoints.reach("sweep.marked")
        failpoints.reach("sweep.mark_committed")


def _claim(point: PricePoint, bells: int) -> int:
    """Claim every loan breached at a point, batch by batch; ring the first `bells` sales; return how many."""
    place: Place | None = START
    rung = 0
    while place is not None:
        with _batch():
            batch: ClaimedBatch = claim_batch(point, place)
        failpoints.reach("sweep.batch_committed")
        for pk in batch.liquidation_ids[: max(0, bells - rung)]:
            doorbell.ring(chains.sale(pk))
            rung += 1
        place = batch.next
    return rung


def _repeat(move: Callable[[PricePoint], int], point: PricePoint) -> None:
    """Make a bulk move, batch by batch, until nothing is left to move."""
    while True:
        with _batch():
            moved = move(point)
        if not moved:
            return
        failpoints.reach("sweep.batch_committed")


@contextmanager
def _batch() -> Iterator[None]:
    """A transaction under the sweep's lock. Raises _LockIsTaken when another sweep has it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SWEEP_LOCK])
            (taken,) = cursor.fetchone()
        if not taken:
            raise _LockIsTaken
        yield
