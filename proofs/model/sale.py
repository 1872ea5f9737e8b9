"""What a worker does: take the sale and commit the next send, send, and book the answer; or die, at any point.

Each function is one step. It returns the state after it, or None where the step is not allowed. A lease is no part of a
state: it may expire at any instant, so a sale can always be taken from whoever holds it.
"""

from proofs.model.rules import REFUSALS_BELIEVED, Model
from proofs.model.state import (
    ACTIVE,
    ANSWERED,
    CALLING,
    COMMITTED,
    DOUBTFUL,
    DUPLICATE,
    FILLED,
    IDLE,
    MISMATCH,
    MIXED,
    NEVER_SENT,
    PENDING,
    REFUSAL,
    REFUSED,
    SELLING,
    SETTLED,
    SUCCESS,
    UNRESOLVED,
    Books,
    Order,
    State,
    Worker,
    known_of,
    order_of,
    pending,
    with_known,
    with_order,
    with_worker,
)


def held(model: Model, state: State) -> bool:
    """Whether claims and sends are held, since the database was restored."""
    return model.rules.hold and (state.books.identity != state.identity or bool(state.books.missing))


def left_to_sell(model: Model, books: Books) -> int:
    """Lots that the next order is for: what the claim still needs, as far as there is collateral."""
    return max(0, min(model.bounds.need, model.bounds.collateral) - books.sold)


def settled_if_done(model: Model, books: Books) -> Books:
    """The books, settled if nothing is left to sell and no order is without a verdict."""
    if books.sale == SELLING and not left_to_sell(model, books) and pending(books) is None:
        return books._replace(sale=SETTLED)
    return books


def claim(model: Model, state: State) -> State | None:
    """A price breaches the loan, and it is claimed."""
    if state.books.sale != ACTIVE or held(model, state):
        return None
    return state._replace(books=state.books._replace(sale=SELLING))


def next_number(model: Model, state: State, market: int) -> int:
    """What the id of the loan's next order at a market names, beside the market."""
    numbers = [order.number for order in state.books.orders if order.market == market]
    if not model.rules.ids_deterministic:
        return max([10 * state.identity, *numbers]) + 1  # never one that was drawn before the restore
    return (max(numbers, default=0) if model.rules.numbers_go_on else len(numbers)) + 1


def gives_up(model: Model, order: Order) -> bool:
    """Without the rule that it stays: whether an order is dropped for another, since its answers prove nothing."""
    return not model.rules.unknown_stays and order.status == PENDING and 0 < order.sends != order.refusals


def take(model: Model, state: State, number: int, market: int, lots: int) -> State | None:
    """A worker takes the sale, whoever had it, finds the open order or places one, and counts its send; one commit."""
    books = state.books
    if state.workers[number].stage != IDLE or books.sale != SELLING or held(model, state):
        return None
    if books.fence >= model.bounds.takings:
        return None
    order, is_new = pending(books), False
    if order is not None and gives_up(model, order):
        books, order = with_order(books, order._replace(status=REFUSED)), None
    if order is None:
        if not 0 < lots <= left_to_sell(model, books) or len(books.orders) >= model.bounds.orders:
            return None
        order, is_new = Order(market, next_number(model, state, market), lots), True
    elif (
        order.status == UNRESOLVED or order.sends >= model.bounds.sends or order.market != market or order.lots != lots
    ):
        return None
    if (is_new and books.doubted) or (model.rules.every_send and order.refusals != order.sends):
        order = order._replace(refusals=MIXED)
    if model.rules.sends_counted:
        order = order._replace(sends=order.sends + 1)
    if model.rules.committed_first or not is_new:
        books = with_order(books, order)
    books = books._replace(fence=books.fence + 1)
    worker = Worker(COMMITTED, market, order.number, lots, books.fence)
    return state._replace(books=books, workers=with_worker(state.workers, number, worker))


def leave(state: State, number: int) -> State | None:
    """The request leaves; from now on it may arrive at any time."""
    worker = state.workers[number]
    if worker.stage != COMMITTED:
        return None
    return state._replace(workers=with_worker(state.workers, number, worker._replace(stage=CALLING)))


def never_leave(state: State, number: int) -> State | None:
    """The connection provably does not open."""
    worker = state.workers[number]
    if worker.stage != COMMITTED:
        return None
    worker = worker._replace(stage=ANSWERED, answer=NEVER_SENT)
    return state._replace(workers=with_worker(state.workers, number, worker))


def book(model: Model, state: State, number: int) -> State | None:
    """A worker books what its answer proves, if the sale is still its own; then it is idle."""
    worker, books = state.workers[number], state.books
    if worker.stage != ANSWERED:
        return None
    state = state._replace(workers=with_worker(state.workers, number, Worker()))
    order, open_order = order_of(books, worker.market, worker.number), pending(books)
    waiting = open_order is not None and open_order.status == UNRESOLVED
    if books.sale != SELLING or waiting or (model.rules.fence and worker.fence != books.fence):
        return state
    if order is None:
        if model.rules.committed_first:
            return state
        order = Order(worker.market, worker.number, worker.lots, sends=1 if model.rules.sends_counted else 0)
    if not model.rules.sends_counted:
        order = order._replace(sends=order.sends + 1)
    books = with_order(books, judged(model, order, worker))
    if worker.answer == SUCCESS and worker.traded <= order.lots:
        books = books._replace(sold=books.sold + worker.traded)
    return state._replace(books=settled_if_done(model, books))


def judged(model: Model, order: Order, worker: Worker) -> Order:
    """The order after an answer to its latest send: the verdict."""
    rules, answer = model.rules, worker.answer
    if answer == SUCCESS:
        fits = worker.traded <= order.lots
        return order._replace(status=FILLED, traded=worker.traded) if fits else order._replace(status=UNRESOLVED)
    if answer == NEVER_SENT:
        order = order._replace(sends=order.sends - 1)
        return order if order.sends and rules.never_sent else order._replace(status=REFUSED)
    refuses = answer == REFUSAL or (answer == DOUBTFUL and not rules.doubt)
    if refuses or (answer == DUPLICATE and not rules.duplicate):
        if order.refusals == MIXED:
            return order
        order = order._replace(refusals=order.refusals + 1)
        all_of_them = order.refusals == order.sends or not rules.every_send
        enough = order.refusals >= (REFUSALS_BELIEVED if rules.three_refusals else REFUSALS_BELIEVED - 1)
        return order._replace(status=REFUSED) if enough and all_of_them else order
    if answer == MISMATCH or (answer == DUPLICATE and order.sends > 1):
        return order._replace(status=UNRESOLVED)
    return order._replace(refusals=MIXED) if rules.every_send else order


def crash(state: State, number: int) -> State | None:
    """A worker dies. A request that has left travels on."""
    worker = state.workers[number]
    if worker.stage == IDLE:
        return None
    if worker.stage == CALLING:
        state = travels_on(state, worker)
    return state._replace(workers=with_worker(state.workers, number, Worker()))


def travels_on(state: State, worker: Worker) -> State:
    """Nobody waits any more for a worker's request: it may arrive late, or never."""
    known = known_of(state, worker.market, worker.number)
    known = known._replace(late=max(known.late, worker.lots), refusals=MIXED)
    return state._replace(known=with_known(state.known, known))
