"""Sweep: judge all loans by the prices that nobody has judged them by yet."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import structlog
from django.db import connection, transaction

from coruscant import clock, enqueue, failpoints
from liquidation import chains, recover
from liquidation.claim import claim_batch
from loans import candidates, price_moves, services
from loans.candidates import Place, Search
from pricing import evaluation_window
from pricing.evaluation_window import Window
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

#: One sweep at a time does the work; the number is any that nothing else uses.
_EVALUATION_LOCK = 7_301_001
_LOCK = (
    "SELECT CASE WHEN pg_try_advisory_xact_lock(%s) THEN nextval('liquidation_evaluation_number') END, " + clock.COLUMN
)
#: So many sales are rung at once after a crash; workers pull the rest, which are due at once.
ENQUEUED_PER_EVALUATION = 64

#: Steps that are asked in one statement whether they find anybody; after an outage there may be hundreds.
ASKED_AT_ONCE = 8


class Step(NamedTuple):
    """A part of a sweep: whom it looks for, and what does one batch of it in the caller's transaction.

    `act` returns how much it did; 0 once there is nothing left.
    """

    search: Search
    act: Callable[[], int]


class _Overtaken(Exception):  # not an error: another sweep is at it
    """Another sweep holds the lock, or has opened a newer window since: what is left to do is its work."""


def evaluate_loans() -> bool:
    """Evaluate all loans by the quotes not yet evaluated, until there are none; return whether this call did the work.

    At every low of the window and at its last price: claim. Then, at every low: open margin calls. At the last price:
    activate, clear margin calls, open margin calls. Each batch is a transaction under a try-lock, and under the number
    of its evaluation: once a newer evaluation has opened its window, an older one changes nothing more. The quotes are
    marked as evaluated once nobody is left to act on, so an evaluation that dies is done again. Without unevaluated
    quotes only the present price is evaluated, since a quote may have expired meanwhile.
    """
    try:
        while True:
            _evaluate_once()
            earliest = evaluation_window.earliest_unevaluated()
            if earliest is None or earliest > clock.now():
                return True
    except _Overtaken:
        return False


def _evaluate_once() -> None:
    with _locked() as (number, now):
        window = evaluation_window.open_window(now)
    services.wait_for_activations()
    failpoints.reach("evaluate.window_opened")
    bells = _Bells()
    waiting = deque(_steps(window, bells))
    judged = False
    while not judged:
        with _batch(number):
            judged = not _first_change(waiting)
            if judged:  # a window without any price, which has no steps, too
                _mark(window)
        if not judged:
            failpoints.reach("evaluate.batch_committed")
        bells.ring()
    failpoints.reach("evaluate.mark_committed")


def _steps(window: Window, bells: "_Bells") -> Iterator[Step]:
    """What a window asks for, in order: claims at all points first, so that nothing else can hold them back."""
    thresholds = services.thresholds()
    last = window.last if window.last.price is not None else None
    # Most often the last price is the last low as well: who meets that need not be looked for twice.
    points = [*window.lows, *([last] if last and not _applies_as(last, window.lows[-1:]) else [])]
    for point in points:
        yield Step(candidates.breached(point, thresholds), _Claims(point, bells).next_batch)
    for low in window.lows:
        yield Step(candidates.without_margin_call(low, thresholds), partial(price_moves.call_loans, low))
    if last:
        yield Step(candidates.new(last, thresholds), partial(price_moves.activate_loans, last))
        yield Step(candidates.with_margin_call(last, thresholds), partial(price_moves.clear_margin_calls, last))
        # Whom the last price has activated or cleared, it does not warn.
        for point in points[len(window.lows) :]:
            yield Step(candidates.without_margin_call(point, thresholds), partial(price_moves.call_loans, point))


def _applies_as(point: PricePoint, others: Iterable[PricePoint]) -> bool:
    """Whether one of the others claims whomever `point` would."""
    return any((other.price, other.applies_before) == (point.price, point.applies_before) for other in others)


def _first_change(waiting: deque[Step]) -> int:
    """Take steps until one has changed something, and drop those with nothing left to do; returns how much it changed.

    So a batch holds one change. Some steps at a time are asked in one statement which of them is the first to find
    anybody: most often none does.
    """
    while waiting:
        asked = list(islice(waiting, ASKED_AT_ONCE))
        first = candidates.first_found([step.search for step in asked])
        for _finds_nobody in asked if first is None else asked[:first]:
            waiting.popleft()
        if first is not None:
            if changed := waiting[0].act():
                return changed
            waiting.popleft()
    return 0


class _Claims:
    """Claims every loan breached at a point, batch by batch."""

    def __init__(self, point: PricePoint, bells: "_Bells") -> None:
        """Nothing is claimed yet. Bells for the first sales are left with `bells`."""
        self._point = point
        self._bells = bells
        self._place: Place | None = None
        self._over = False

    def next_batch(self) -> int:
        """Claim the next batch, in the caller's transaction; returns how many loans it looked at, 0 at the end."""
        if self._over:
            return 0
        batch = claim_batch(self._point, self._place)
        self._bells.note(batch.liquidation_ids)
        self._place, self._over = batch.next, batch.next is None
        return batch.looked_at


class _Bells:
    """Bells for the first sales of a sweep: noted with their claim, rung after its commit."""

    def __init__(self) -> None:
        """None is rung yet."""
        self._left = ENQUEUED_PER_EVALUATION
        self._noted: tuple[int, ...] = ()

    def note(self, liquidation_ids: tuple[int, ...]) -> None:
        """Note as many of these as are to be rung, in the caller's transaction."""
        self._noted = liquidation_ids[: self._left]
        if self._noted:
            recover.mark_enqueued(self._noted)

    def ring(self) -> None:
        """Ring for what has been noted, now that it is committed."""
        for pk in self._noted:
            enqueue.now(chains.sale(pk), expires=recover.ENQUEUED_AGAIN_AFTER.total_seconds())
        self._left -= len(self._noted)
        self._noted = ()


def _mark(window: Window) -> None:
    """Nobody is left whom the window hits: it is judged."""
    evaluation_window.mark_evaluated(window)
    failpoints.reach("evaluate.marked")


@contextmanager
def _locked() -> Iterator[tuple[int, datetime]]:
    """A transaction under the sweep's lock, with a number above that of every sweep before, and the instant it began.

    Raises _Overtaken when another sweep has the lock.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [_EVALUATION_LOCK])
            number, instant = cursor.fetchone()
        if number is None:
            raise _Overtaken
        yield number, clock.read(instant)


@contextmanager
def _batch(number: int) -> Iterator[None]:
    """A transaction under the sweep's lock. Raises _Overtaken if the sweep of this number is not the newest."""
    with transaction.atomic():
        # CASE: the number is read only once the lock is ours, and not at all if it is not.
        newest = _asked(
            "SELECT CASE WHEN pg_try_advisory_xact_lock(%s)"
            " THEN (SELECT last_value FROM liquidation_evaluation_number) END",
            _EVALUATION_LOCK,
        )
        if newest != number:
            raise _Overtaken
        yield


def _asked(question: str, *parameters: int) -> Any:
    """The one value a query answers with."""
    with connection.cursor() as cursor:
        cursor.execute(question, parameters or None)
        (answer,) = cursor.fetchone()
    return answer
