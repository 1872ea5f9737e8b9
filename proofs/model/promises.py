"""What must hold, by the markets' own logs: in every state, and of every step."""

from enum import StrEnum

from proofs.model.rules import Model
from proofs.model.state import FILLED, SETTLED, State, known_of, order_of
from proofs.model.steps import LOST, PLACE, Step


class Promise(StrEnum):
    """A promise of the protocol."""

    SOLD_ONCE = "no lot is sold that the claim did not need or have"
    BOOKED = "what is booked is what was traded, each trade once, and all of it once the sale is settled"
    ONE_ID = "an id is one order, at one market"
    ONE_ORDER = "no order is placed while an earlier one may have traded, or may yet"


ALL_PROMISES = frozenset(Promise)
#: What a market's statement would show; ONE_ORDER is broken before any of these.
DAMAGE = ALL_PROMISES - {Promise.ONE_ORDER}


def broken_by(model: Model, before: State, step: Step, after: State) -> Promise | None:
    """The first promise that a step breaks, or the state after it; trades that a person answers for do not count."""
    excused, books = after.excused, after.books
    trades = (known for known in after.known if known.traded > 0)
    sold = sum(known.traded for known in trades if (known.market, known.number) not in excused)
    if sold > min(model.bounds.need, model.bounds.collateral):
        return Promise.SOLD_ONCE
    placed = step[1:] if step[0] == LOST else step
    if placed[0] == PLACE:
        worker = after.workers[int(placed[1])]
        if order_of(before.books, worker.market, worker.number) is not None:
            return Promise.ONE_ID
        if not model.rules.ids_name_market and _elsewhere(before, worker.market, worker.number):
            return Promise.ONE_ID
        if not _nothing_open(before, worker.market, worker.number):
            return Promise.ONE_ORDER
    return Promise.BOOKED if books is not before.books and not _booked(after) else None


def _booked(state: State) -> bool:
    """Whether the books hold each trade once, as it was; if the sale is settled, all of them."""
    booked = 0
    for order in state.books.orders:
        if order.status == FILLED:
            booked += order.traded
            if known_of(state, order.market, order.number).traded != order.traded:
                return False
    if booked != state.books.sold:
        return False
    if state.books.sale == SETTLED:
        return all(
            (known.market, known.number) in state.excused or _is_booked(state, known.market, known.number)
            for known in state.known
            if known.traded > 0
        )
    return True


def _is_booked(state: State, market: int, number: int) -> bool:
    order = order_of(state.books, market, number)
    return order is not None and order.status == FILLED


def _elsewhere(state: State, market: int, number: int) -> bool:
    """Whether an id without a market was sent to the other one."""
    return any(known.market != market and known.number == number for known in state.known) or any(
        order.market != market and order.number == number for order in state.books.orders
    )


def _nothing_open(state: State, market: int, number: int) -> bool:
    """Whether all other orders, known to the books or not, are booked or can trade no more."""
    return all(
        (known.market, known.number) in ((market, number), *state.excused)
        or (not known.late if known.traded <= 0 else _is_booked(state, known.market, known.number))
        for known in state.known
    )
