"""What people do: answer for an order that the market would not explain, and bring a sale through a restore."""

from proofs.model.rules import Model
from proofs.model.sale import left_to_sell, settled_if_done
from proofs.model.state import (
    CALLING,
    COMMITTED,
    FILLED,
    IDLE,
    MIXED,
    PENDING,
    REFUSED,
    SELLING,
    SETTLED,
    STALE,
    UNRESOLVED,
    VOID,
    Books,
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


def adopt(model: Model, state: State, market: int, number: int) -> State | None:
    """`manage.py reconcile`: a trade that a market states is booked, at any time; the sale is taken from its worker."""
    books, known = state.books, known_of(state, market, number)
    order = order_of(books, market, number)
    if books.identity != state.identity or books.sale == SETTLED or known.traded <= 0:
        return None
    if order is None and not model.rules.ids_deterministic:
        return None  # a random id that the books do not have belongs to nobody
    if order is not None and order.status == FILLED:
        return None
    order = order or Order(market, number, known.traded, sends=1, refusals=MIXED)
    books = with_order(books, order._replace(status=FILLED, traded=known.traded))
    books = books._replace(sold=books.sold + known.traded, sale=SELLING)
    if model.rules.adopting_fences:
        books = books._replace(fence=books.fence + 1)
    return state._replace(books=books if books.missing else _goes_on(model, books))


def statement(model: Model, state: State, market: int) -> State | None:
    """After a restore, a market's statement is compared to its end; with that of the other one, the sale goes on.

    What it shows has been adopted, and an open order that it does not show has never traded.
    """
    books = state.books
    if market not in books.missing:
        return None
    if model.rules.statements_wait:
        if any(worker.market == market and worker.stage in (COMMITTED, CALLING) for worker in state.workers):
            return None
        landed = tuple(known._replace(late=0) if known.market == market else known for known in state.known)
        state = state._replace(known=landed)
    if any(adopt(model, state, known.market, known.number) for known in state.known if known.market == market):
        return None
    order = pending(books)
    if order is not None and order.market == market:
        books = with_order(books, order._replace(status=REFUSED))
    left = tuple(other for other in books.missing if other != market) if model.rules.both_statements else ()
    books = books._replace(missing=left)
    return state._replace(books=books if left else settled_if_done(model, books))


def release(model: Model, state: State) -> State | None:
    """A person lets the sale go on without statements, and answers for the orders that the books do not know."""
    books = state.books
    if not books.missing:
        return None
    sent = {(known.market, known.number) for known in state.known}
    sent |= {(worker.market, worker.number) for worker in state.workers if worker.stage != IDLE}
    unknown = sorted(pair for pair in sent if order_of(books, *pair) is None)
    return state._replace(books=_goes_on(model, books._replace(missing=())), excused=tuple(unknown))


def _goes_on(model: Model, books: Books) -> Books:
    """The books of a sale that adopted trades may have left less to sell."""
    order = pending(books)
    if order is not None and model.rules.still_needed and order.lots > left_to_sell(model, books):
        return with_order(books, order._replace(status=UNRESOLVED))
    return settled_if_done(model, books)
