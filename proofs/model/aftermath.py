"""What people do: answer for an order that the market would not explain, and bring a sale through a restore."""

from proofs.model.rules import Model
from proofs.model.sale import left_to_sell, settled_if_done
from proofs.model.state import (
    ACTIVE,
    CALLING,
    COMMITTED,
    FILLED,
    IDLE,
    MIXED,
    PENDING,
    REFUSED,
    SELLING,
    STALE,
    UNRESOLVED,
    VOID,
    Books,
    Known,
    Order,
    State,
    known_of,
    order_of,
    pending,
    with_known,
    with_order,
)


def resolve(model: Model, state: State) -> State | None:
    """A person asks the market what became of an unresolved order, and books that."""
    order = pending(state.books)
    if order is None or order.status != UNRESOLVED:
        return None
    known = known_of(state, order.market, order.number)
    if known.traded > order.lots:
        return None  # the figures do not fit: the sale waits
    if known.traded > 0:
        books = with_order(state.books, order._replace(status=FILLED, traded=known.traded))
        books = books._replace(sold=books.sold + known.traded)
    else:
        books = with_order(state.books, order._replace(status=REFUSED))
        if model.assumptions.word_is_kept:
            state = state._replace(known=with_known(state.known, known._replace(traded=VOID)))
    return state._replace(books=settled_if_done(model, books))


def restore(model: Model, state: State) -> State | None:
    """The database is again what it was once; markets, requests under way and the memory of workers are not."""
    if state.backup is None or state.identity:
        return None
    books = state.backup
    if not model.assumptions.restore_noticed:
        books = books._replace(identity=1)
    workers = state.workers
    if model.rules.answers_end:
        workers = tuple(worker._replace(fence=STALE) for worker in workers)
    return state._replace(books=books, workers=workers, backup=None, identity=1)


def after_restore(model: Model, state: State) -> State | None:
    """`manage.py after_restore`: the books admit what they have lost; the sale waits for both markets' statements."""
    books = state.books
    if books.identity == state.identity:
        return None
    if model.rules.doubted:
        orders = tuple(order._replace(refusals=MIXED) if order.status == PENDING else order for order in books.orders)
        books = books._replace(orders=orders)
    books = books._replace(doubted=model.rules.doubted_later)
    missing = (0, 1) if model.rules.statements else ()
    return state._replace(books=books._replace(identity=state.identity, missing=missing))


def statement(model: Model, state: State, market: int) -> State | None:
    """`manage.py reconcile`: a market's own log is adopted; with that of the other one, the sale goes on."""
    books = state.books
    if market not in books.missing:
        return None
    if model.rules.statements_wait:
        if any(worker.market == market and worker.stage in (COMMITTED, CALLING) for worker in state.workers):
            return None
        landed = tuple(known._replace(late=0) if known.market == market else known for known in state.known)
        state = state._replace(known=landed)
    for known in state.known:
        if known.market == market and known.traded > 0:
            books = _adopted(model, books, known)
    order = pending(books)
    if order is not None and order.market == market:
        books = with_order(books, order._replace(status=REFUSED))  # not there, so never traded
    elif order is not None and model.rules.still_needed and order.lots > left_to_sell(model, books):
        books = with_order(books, order._replace(status=UNRESOLVED))
    left = tuple(other for other in books.missing if other != market) if model.rules.both_statements else ()
    books = books._replace(missing=left)
    return state._replace(books=books if left else settled_if_done(model, books))


def _adopted(model: Model, books: Books, known: Known) -> Books:
    """The books with a trade from a statement. Random ids that the books do not have belong to nobody."""
    order = order_of(books, known.market, known.number)
    if order is None:
        if not model.rules.ids_deterministic:
            return books
        order = Order(known.market, known.number, known.traded, sends=1, refusals=MIXED)
    if order.status == FILLED:
        return books
    books = with_order(books, order._replace(status=FILLED, traded=known.traded))
    return books._replace(sold=books.sold + known.traded, sale=SELLING if books.sale == ACTIVE else books.sale)


def release(model: Model, state: State) -> State | None:
    """A person lets the sale go on without statements, and answers for the orders that the books do not know."""
    books = state.books
    if not books.missing:
        return None
    sent = {(known.market, known.number) for known in state.known}
    sent |= {(worker.market, worker.number) for worker in state.workers if worker.stage != IDLE}
    unknown = sorted(pair for pair in sent if order_of(books, *pair) is None)
    return state._replace(books=settled_if_done(model, books._replace(missing=())), excused=tuple(unknown))
