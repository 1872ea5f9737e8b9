"""States of which no later step depends on the difference are made one: that is what makes the check small.

What is left out is not looked at less: `tests/test_merge.py` compares with a check that merges nothing.
"""

from proofs.model.rules import ALL_ASSUMPTIONS, ALL_RULES, Model
from proofs.model.sale import travels_on
from proofs.model.state import (
    ANSWERED,
    DUPLICATE,
    FILLED,
    IDLE,
    MISMATCH,
    MIXED,
    PENDING,
    REFUSAL,
    REFUSED,
    STALE,
    UNCLEAR,
    Books,
    Known,
    Order,
    State,
    Worker,
    order_of,
)

_CLOSED = (FILLED, REFUSED)


def merged(model: Model, state: State) -> State:
    """The state that stands for all of which no later step can tell the difference.

    With a rule or an assumption left out, only what does not depend on any of them is merged.
    """
    state = _without_stale_workers(model, state)
    if not model.bounds.fold or model.rules is not ALL_RULES or model.assumptions is not ALL_ASSUMPTIONS:
        return state
    # Held since a restore that nobody has told it of yet: nothing is sent before every refusal is in doubt.
    orders = map(_in_doubt, state.books.orders) if state.identity != state.books.identity else state.books.orders
    books = state.books._replace(orders=tuple(map(_what_matters, orders)))
    backup = state.backup
    if backup is not None:
        backup = backup._replace(orders=tuple(_what_matters(_in_doubt(order)) for order in backup.orders))
    return state._replace(
        books=books,
        backup=backup,
        known=tuple(known for known in (_to_come(state, known) for known in state.known) if known is not None),
        workers=tuple(_effect(books, worker) for worker in state.workers),
    )


def _without_stale_workers(model: Model, state: State) -> State:
    """Without fences, where equality says all; and without workers that can never book again.

    What such a worker hears changes nothing. So it is idle, and its request, sent yet or not, one that arrives late or
    never.
    """
    rules, books, backup = model.rules, state.books, state.backup
    if not rules.fence:
        workers = tuple(worker._replace(fence=0) if worker.fence else worker for worker in state.workers)
        return _renumbered(state, workers, books, backup)
    lowest = books.fence
    if not rules.answers_end and backup is not None and not state.identity:
        lowest = min(lowest, backup.fence)
    workers = state.workers
    for number, worker in enumerate(workers):
        if worker.stage == IDLE:
            continue
        if worker.fence == books.fence if rules.answers_end else worker.fence >= lowest:
            continue
        fresh = worker._replace(fence=STALE)
        if model.bounds.fold:
            if worker.stage != ANSWERED:
                state = travels_on(state, worker)
            fresh = Worker()
        workers = (*workers[:number], fresh, *workers[number + 1 :])
    if rules.answers_end:
        workers = tuple(worker._replace(fence=0) if worker.fence == books.fence else worker for worker in workers)
        return _renumbered(state, workers, books, backup)
    return state._replace(
        workers=tuple(worker._replace(fence=max(STALE, worker.fence - lowest)) for worker in workers),
        books=books._replace(fence=books.fence - lowest),
        backup=backup and backup._replace(fence=backup.fence - lowest),
    )


def _renumbered(state: State, workers: tuple[Worker, ...], books: Books, backup: Books | None) -> State:
    """The state with a fence of 0 in its books."""
    return state._replace(
        workers=workers,
        books=books._replace(fence=0) if books.fence else books,
        backup=backup._replace(fence=0) if backup is not None and backup.fence else backup,
    )


def _in_doubt(order: Order) -> Order:
    """The order as after_restore leaves it."""
    return order._replace(refusals=MIXED) if order.status == PENDING else order


def _what_matters(order: Order) -> Order:
    """An order without what no later verdict asks for.

    Of a closed one, what it was for. Of one whose refusals prove nothing, whether it was sent twice or more often: so
    orders are sent any number of times.
    """
    if order.status in _CLOSED:
        return Order(order.market, order.number, 0, order.status, traded=order.traded)
    if order.refusals == MIXED and order.sends > 2:
        return order._replace(sends=2)
    return order


def _to_come(state: State, known: Known) -> Known | None:
    """What a market knows of an id, without what does not matter for what it may still do; None if that is nothing.

    Where the books believe no refusal of the order any more, as after every restore, it may refuse as it likes. An id
    that is never sent again is only what it has traded.
    """
    order = order_of(state.books, known.market, known.number)
    closed = order is not None and order.status in _CLOSED
    if state.backup is not None:
        before = order_of(state.backup, known.market, known.number)
        closed = closed and before is not None and before.status in _CLOSED
    if closed and (known.traded or not known.late):
        return known._replace(refusals=0) if known.traded > 0 else None
    if state.identity or order is None or order.refusals == MIXED:
        return known._replace(refusals=MIXED) if known.traded or known.late else None
    return known


def _effect(books: Books, worker: Worker) -> Worker:
    """A worker that has heard an answer, with one that proves the same."""
    if worker.stage != ANSWERED or worker.answer not in (REFUSAL, DUPLICATE):
        return worker
    order = order_of(books, worker.market, worker.number)
    if order is None:
        return worker
    if worker.answer == DUPLICATE:
        return worker._replace(answer=MISMATCH if order.sends > 1 else UNCLEAR)
    return worker._replace(answer=UNCLEAR) if order.refusals == MIXED else worker
