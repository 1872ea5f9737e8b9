"""Sweep: judge all loans by the prices that nobody has judged them by yet."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import connection, transaction

from coruscant import clock, doorbell, failpoints
from liquidation import chains, recovery
from liquidation.claim import START, Place, claim_batch, forget_recovered
from loans import price_moves, services
from pricing import sweeping
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

#: One sweep at a time does the work; the number is any that nothing else uses.
_SWEEP_LOCK = 7_301_001
#: So many sales are rung at once after a crash; workers pull the rest, which are due at once.
RUNG_PER_SWEEP = 64

#: A bulk move of `loans.price_moves`, and the price it is made at.
Move = tuple[Callable[[PricePoint], int], PricePoint]


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
    # Most often the last price is the last low as well: who meets that need not be looked for twice.
    points = [*window.lows, *([last] if last and not _judges_as(last, window.lows[-1:]) else [])]
    _claim(number, points)
    moves: list[Move] = [(price_moves.warn_loans, low) for low in window.lows]
    if last:
        moves += [(move, last) for move in (price_moves.activate_loans, price_moves.clear_warnings)]
        moves.append((price_moves.warn_loans, last))
    _carry_out(number, moves)
    with _batch(number):
        sweeping.mark_swept(window)
        if last:
            forget_recovered(last)
        failpoints.reach("sweep.marked")
    failpoints.reach("sweep.mark_committed")


def _judges_as(point: PricePoint, others: Iterable[PricePoint]) -> bool:
    """Whether one of the others claims whomever `point` would."""
    return any((other.price, other.judges_before) == (point.price, point.judges_before) for other in others)


def _claim(number: int, points: Iterable[PricePoint]) -> None:
    """Claim every loan breached at one of the points, batch by batch; ring the first sales."""
    walks: deque[tuple[PricePoint, Place]] = deque((point, START) for point in points)
    bells = RUNG_PER_SWEEP
    while walks:
        with _batch(number):
            ringing = _claim_next(walks)[:bells]
            if ringing:
                recovery.note_rung(ringing)
        failpoints.reach("sweep.batch_committed")
        for pk in ringing:
            doorbell.ring(chains.sale(pk), expires=recovery.RUNG_AGAIN_AFTER.total_seconds())
        bells -= len(ringing)


def _claim_next(walks: deque[tuple[PricePoint, Place]]) -> tuple[int, ...]:
    """The next batch of the first walk that is not at its end; what finds nobody costs no transaction of its own."""
    while walks:
        point, place = walks.popleft()
        batch = claim_batch(point, place)
        if batch.next is not None:
            walks.appendleft((point, batch.next))
        if batch.liquidation_ids or batch.next is not None:
            return batch.liquidation_ids
    return ()


def _carry_out(number: int, moves: Iterable[Move]) -> None:
    """Make bulk moves one after the other, each batch by batch until nothing is left to move at its point.

    A batch is a transaction in which one move changes something; those that change nothing cost none of their own.
    """
    waiting = deque(moves)
    while waiting:
        moved = 0
        with _batch(number):
            while waiting and not moved:
                move, point = waiting[0]
                moved = move(point)
                if not moved:
                    waiting.popleft()
        if moved:
            failpoints.reach("sweep.batch_committed")


@contextmanager
def _locked() -> Iterator[None]:
    """A transaction under the sweep's lock. Raises _Overtaken when another sweep has it."""
    with transaction.atomic():
        if not _asked("SELECT pg_try_advisory_xact_lock(%s)", _SWEEP_LOCK):
            raise _Overtaken
        yield


@contextmanager
def _batch(number: int) -> Iterator[None]:
    """A transaction under the sweep's lock. Raises _Overtaken if the sweep of this number is not the newest."""
    with transaction.atomic():
        # CASE: the number is read only once the lock is ours, and not at all if it is not.
        newest = _asked(
            "SELECT CASE WHEN pg_try_advisory_xact_lock(%s) THEN (SELECT last_value FROM liquidation_sweep_number) END",
            _SWEEP_LOCK,
        )
        if newest != number:
            raise _Overtaken
        yield


def _next_number() -> int:
    """A number above that of every sweep before."""
    return int(_asked("SELECT nextval('liquidation_sweep_number')"))


def _asked(question: str, *parameters: int) -> Any:
    """The one value a query answers with."""
    with connection.cursor() as cursor:
        cursor.execute(question, parameters or None)
        (answer,) = cursor.fetchone()
    return answer
