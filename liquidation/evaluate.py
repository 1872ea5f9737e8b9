"""Evaluate all loans at the prices that no evaluation has covered yet."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import islice
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import connection, transaction

from coruscant import clock, enqueue, failpoints, locks
from coruscant.controls import in_force
from coruscant.restores import holds, identity
from liquidation import chains, recover
from liquidation.claim import claim_batch
from loans import activation, candidates, margin_calls, margin_notices, terms
from loans.candidates import Position, Search
from loans.terms import ByVersion
from pricing import evaluation_window
from pricing.evaluation_window import Window
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

#: The sales enqueued by one evaluation after a crash of prices; workers pull the rest, which are due at once.
ENQUEUED_PER_EVALUATION = 64
#: Steps whose searches share one statement; after an outage there may be hundreds.
ASKED_AT_ONCE = 8

# CASE: a number is drawn, or read, only once the lock is ours, and not at all if it is not.
_TRY_LOCK = "SELECT CASE WHEN pg_try_advisory_xact_lock(%s) THEN {number} END"
_MAY_HAVE_WAITED = "EXISTS (SELECT FROM controls_control) OR EXISTS (SELECT FROM restores_restore)"
_NEXT = _TRY_LOCK.format(number="nextval('liquidation_evaluation_number')")
_BEGIN = f"{_NEXT}, {clock.COLUMN}, {_MAY_HAVE_WAITED}"
_CONTINUE = _TRY_LOCK.format(number="(SELECT last_value FROM liquidation_evaluation_number)")
_CONTINUE_WITH_TERMS = f"{_CONTINUE}, {terms.COLUMN}"


class Step(NamedTuple):
    """A part of an evaluation: which loans it looks for, and what changes a batch of them in the caller's transaction.

    `act` returns how many it changed, or looked at; 0 once no loan is left. Whether there is one is asked of `search`
    only before the first batch.
    """

    search: Search | None
    act: Callable[[], int]


class _Superseded(Exception):  # not an error: another evaluation is at work
    """Another evaluation holds the lock, or has opened a newer window since: it does what is left."""


def evaluate_loans() -> bool:
    """Evaluate all loans by the quotes not yet evaluated, until there are none; return whether this call did the work.

    At every low of the window and at its last price: claim. Then, at every low: open margin calls. At the last price:
    activate, clear margin calls, open margin calls, and last of all end notices and give notice. While a jump of prices
    is pending, the last price claims, calls and notices nobody; once it is not, a window covers that time. Loans are
    activated, and margin calls cleared, at the cautious price. Each batch is a transaction under a try-lock, and under
    the number of its evaluation: once a newer evaluation has opened its window, an older one changes nothing more. The
    quotes are marked as evaluated once no step finds a loan, so an evaluation that dies is done again. Without
    unevaluated quotes only the present price is evaluated, since a quote may have expired meanwhile. While the database
    is not the accepted one nothing is evaluated, so no dip is missed if it turns out that nothing was lost.
    """
    if not identity.accepted():
        return False
    try:
        while True:
            _evaluate_once()
            earliest = evaluation_window.earliest_unevaluated()
            if earliest is None or earliest > clock.now():
                return True
    except _Superseded:
        return False


def _evaluate_once() -> None:
    with _beginning() as (number, now, resumed_at):
        window = evaluation_window.open_window(now, resumed_at)
    activation.wait_until_settled()
    failpoints.reach("evaluate.window_opened")
    first_sales = _FirstSales(ENQUEUED_PER_EVALUATION)
    waiting: deque[Step] | None = None
    finished = False
    while not finished:
        with _batch(number, read_terms=waiting is None) as in_use:
            if waiting is None:
                terms.alert_if_settings_differ(in_use)
                if window.last.guard is not None:
                    terms.alert_if_guard_does_not_fit(in_use, window.last.guard)
                waiting = deque(_steps(window, in_use, first_sales))
            finished = not _first_change(waiting)
            if finished:  # a window without any price, which has no steps, too
                evaluation_window.mark_evaluated(window)
                failpoints.reach("evaluate.marked")
        if not finished:
            failpoints.reach("evaluate.batch_committed")
        first_sales.enqueue()
    failpoints.reach("evaluate.mark_committed")


def evaluate_under_lock() -> Window:
    """Evaluate all loans at the prices known now, in the transaction that is open and holds the evaluation's lock.

    For whoever changes what prices do to loans from the end of this window on, which is returned. An evaluation that
    is in the middle of its own is superseded. The quotes stay unevaluated, since the activation barrier cannot be
    passed in a transaction that goes on: the next evaluation repeats the window, which changes nothing twice, and finds
    loans that were being activated.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('liquidation_evaluation_number')")
    now = clock.now()
    window = evaluation_window.open_window(now, _claims_resumed_at(now))
    waiting = deque(_steps(window, terms.in_use(), _FirstSales(0)))
    while _first_change(waiting):
        pass
    return window


def _steps(window: Window, in_use: ByVersion, first_sales: "_FirstSales") -> Iterator[Step]:
    """The steps of a window, in order: claims at all prices first, so that nothing else can delay them."""
    last = window.last if window.last.price is not None else None
    # Most often the last price is the last low as well, and need not be searched for twice.
    covered = {(low.price, low.applies_before) for low in window.lows[-1:]}
    may_claim = last is not None and last.may_claim and (last.price, last.applies_before) not in covered
    points = [*window.lows, *([last] if last and may_claim else [])]
    for point in points:
        yield Step(candidates.breached(point, in_use), partial(next, _claims(point, first_sales), 0))
    for low in window.lows:
        yield Step(candidates.without_margin_call(low, in_use), partial(next, margin_calls.call_batches(low), 0))
    if last:
        careful = last.cautious_for(settings.PRICE_REFERENCE_QUANTITY)
        yield Step(candidates.new(careful, in_use), partial(activation.activate_loans, careful))
        yield Step(candidates.with_margin_call(careful, in_use), partial(margin_calls.clear_margin_calls, careful))
        # A loan that the last price has activated or cleared gets no margin call by it.
        for point in points[len(window.lows) :]:
            yield Step(
                candidates.without_margin_call(point, in_use), partial(next, margin_calls.call_batches(point), 0)
            )
        if notice_ltv := settings.MARGIN_NOTICE_LTV:
            yield Step(candidates.with_notice(careful, in_use), partial(margin_notices.end_notices, careful))
            if last.may_claim:
                yield Step(
                    candidates.without_notice(last, in_use, notice_ltv),
                    partial(next, margin_notices.notice_batches(last, notice_ltv), 0),
                )


def _first_change(waiting: deque[Step]) -> int:
    """Take steps until one has changed something, and drop those with nothing left to do; returns how much it changed.

    So a batch holds one change. One statement finds the first of several steps that finds a loan: most often none does.
    A step that has begun is not asked again: its search might skip all that it has changed.
    """
    while waiting:
        if waiting[0].search is not None:
            searches = [step.search for step in islice(waiting, ASKED_AT_ONCE) if step.search is not None]
            first = candidates.first_found(searches)
            for _finds_none in searches[:first]:
                waiting.popleft()
            if first is None:
                continue
        if changed := waiting[0].act():
            waiting[0] = waiting[0]._replace(search=None)
            return changed
        waiting.popleft()
    return 0


def _claims(point: PricePoint, first_sales: "_FirstSales") -> Iterator[int]:
    """Claim every loan breached at a price: a batch at a time, each in the transaction of whoever asks for the next.

    Yields how many loans a batch looked at.
    """
    position: Position | None = None
    while True:
        batch = claim_batch(point, position)
        first_sales.mark(batch.liquidation_ids)
        yield batch.looked_at
        if batch.next is None:
            return
        position = batch.next


class _FirstSales:
    """The first sales of an evaluation: marked as enqueued with their claim, enqueued after its commit."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._marked: tuple[int, ...] = ()

    def mark(self, liquidation_ids: tuple[int, ...]) -> None:
        """Mark as many of these as are to be enqueued, in the caller's transaction."""
        self._marked = liquidation_ids[: self._left]
        if self._marked:
            recover.mark_enqueued(self._marked)

    def enqueue(self) -> None:
        """Enqueue what is marked, now that it is committed."""
        for pk in self._marked:
            enqueue.now(chains.sale(pk), expires=recover.ENQUEUED_AGAIN_AFTER.total_seconds())
        self._left -= len(self._marked)
        self._marked = ()


@contextmanager
def _beginning() -> Iterator[tuple[int, datetime, datetime | None]]:
    """A transaction under the lock, with a number above that of every evaluation before, the instant it began, and
    since when claims are neither paused nor held, if they ever were: the price of that moment may not have been
    evaluated since. Raises _Superseded when another evaluation has the lock, or the database is not the accepted one.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_BEGIN, [locks.EVALUATION])
            number, instant, may_have_waited = cursor.fetchone()
        if number is None or not identity.accepted():
            raise _Superseded
        now = clock.read(instant)
        # Read only now that the lock is ours: a pause that was ended just before is seen.
        yield number, now, _claims_resumed_at(now) if may_have_waited else None


def _claims_resumed_at(now: datetime) -> datetime | None:
    """Since when claims are neither paused nor held; None if they never were."""
    return max(filter(None, (in_force.claims_resumed_at(now), holds.claims_released_at())), default=None)


@contextmanager
def _batch(number: int, *, read_terms: bool) -> Iterator[ByVersion]:
    """A transaction under the lock, with the terms in use if they are to be read.

    They are read after the barrier, as loans are: a loan under newer ones was opened since, and whoever activates it
    knows the quotes of this window. Raises _Superseded if the evaluation of this number is not the newest, or the
    database is not the accepted one.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CONTINUE_WITH_TERMS if read_terms else _CONTINUE, [locks.EVALUATION])
            newest, *in_use = cursor.fetchone()
        if newest != number or not identity.accepted():
            raise _Superseded
        yield terms.read(in_use[0]) if in_use else {}
