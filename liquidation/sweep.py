"""Sweep: judge all loans by the prices that nobody has judged them by yet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import connection, transaction

from coruscant import clock, doorbell, failpoints
from liquidation import chains, recovery
from liquidation.claim import START, ClaimedBatch, Place, claim_batch, forget_recovered
from loans import price_moves, services
from pricing import sweeping
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

#: One sweep at a time does the work; the number is any that nothing else uses.
_SWEEP_LOCK = 7_301_001
#: So many sales are rung at once after a crash; workers pull the rest, which are due at once.
RUNG_PER_SWEEP = 64


class _Overtaken(Exception):  # not an error: another sweep is at it
    """Another sweep holds the lock, or has opened a newer window since: what is left to do is its work."""


def sweep() -> bool:
    """Judge all loans by the quotes not yet swept, until there are none; return whether this call did the work.

    At every low of the window and at its last price: claim. Then, at every low: warn. At the last price: activate,
    clear, warn. Each batch is a transaction under a try-lock, and under the number of its sweep: once a newer sweep
    has opened its window, an older one changes nothing more. The quotes are marked as swept only after the last
    batch, so a sweep that dies is done again. Without unswept quotes the present price alone is looked at: a quote
    may have died meanwhile.
    """
    try:
        while True:
            _sweep_once()
            if not sweeping.anything_unswept(clock.now()):
                return True
    except _Overtaken:
        return False


def _sweep_once() -> None:
    with _locked():
        number = _next_number()
        window = sweeping.open_window(clock.now())
    services.wait_for_activations()
    failpoints.reach("sweep.window_opened")
    last = window.last if window.last.price is not None else None
    bells = RUNG_PER_SWEEP
    for point in (*window.lows, *([last] if last else [])):
        bells -= _claim(number, point, bells)
    for low in window.lows:
        _repeat(number, price_moves.warn_loans, low)
    if last:
        for move in (price_moves.activate_loans, price_moves.clear_warnings, price_moves.warn_loans):
            _repeat(number, move, last)
    with _batch(number):
        sweeping.mark_swept(window.quote_ids, window.until)
        if last:
            forget_recovered(last)
        failpoints.reach("sweep.marked")
    failpoints.reach("sweep.mark_committed")


def _claim(number: int, point: PricePoint, bells: int) -> int:
    """Claim every loan breached at a point, batch by batch; ring the first `bells` sales; return how many."""
    place: Place | None = START
    rung = 0
    while place is not None:
        with _batch(number):
            batch: ClaimedBatch = claim_batch(point, place)
            ringing = batch.liquidation_ids[: max(0, bells - rung)]
            recovery.note_rung(ringing)
        failpoints.reach("sweep.batch_committed")
        for pk in ringing:
            doorbell.ring(chains.sale(pk))
        rung += len(ringing)
        place = batch.next
    return rung


def _repeat(number: int, move: Callable[[PricePoint], int], point: PricePoint) -> None:
    """Make a bulk move, batch by batch, until nothing is left to move."""
    while True:
        with _batch(number):
            moved = move(point)
        if not moved:
            return
        failpoints.reach("sweep.batch_committed")


@contextmanager
def _locked() -> Iterator[None]:
    """A transaction under the sweep's lock. Raises _Overtaken when another sweep has it."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SWEEP_LOCK])
            (taken,) = cursor.fetchone()
        if not taken:
            raise _Overtaken
        yield


@contextmanager
def _batch(number: int) -> Iterator[None]:
    """A transaction under the sweep's lock. Raises _Overtaken if the sweep of this number is not the newest."""
    with _locked():
        with connection.cursor() as cursor:
            cursor.execute("SELECT last_value FROM liquidation_sweep_number")
            (newest,) = cursor.fetchone()
        if newest != number:
            raise _Overtaken
        yield


def _next_number() -> int:
    """A number above that of every sweep before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('liquidation_sweep_number')")
        (number,) = cursor.fetchone()
    return int(number)
