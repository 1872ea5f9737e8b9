"""Whether what was observed of the real service is a run of the model: each observed step must be one of its steps.

An observation is a commit, with what the database then holds of each sale; a trade in a market's own log; what a worker
made of an answer; or a restore. What cannot be observed, such as the death of a process or where a request is, is left
open: the replay keeps every state that fits, and fails when none does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from proofs.model import aftermath, market, sale
from proofs.model.check import beginning
from proofs.model.promises import broken_by
from proofs.model.rules import WHOLE, Bounds, Model
from proofs.model.state import (
    ACTIVE,
    ANSWERED,
    CALLING,
    COMMITTED,
    FILLED,
    IDLE,
    MARKETS,
    MISMATCH,
    MIXED,
    NEVER_SENT,
    PENDING,
    REFUSAL,
    SELLING,
    SETTLED,
    SUCCESS,
    UNCLEAR,
    UNRESOLVED,
    Books,
    Order,
    State,
    Worker,
    order_of,
    pending,
    with_order,
)
from proofs.model.steps import PLACE, Step

_NO_BOUND = 10**9


class NotAStep(AssertionError):
    """What was observed is no step of the model, or one that breaks a promise."""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as the database has it. Lots are any whole unit, such as 10⁻²⁴ of a unit of Beskar."""

    request_id: str
    market: int
    number: int
    lots: int
    status: str
    #: All that were counted; of these, by the answers that were booked under the fence, the two kinds that matter.
    sends: int
    never_sent: int
    refused: int
    traded: int = 0


@dataclass(frozen=True, slots=True)
class SaleRow:
    """A liquidation as the database has it, with its orders, the first one first."""

    sale: str
    collateral: int
    sold: int
    orders: tuple[OrderRow, ...] = ()
    #: Since a restore; asked only of a sale that is not settled.
    held: bool = False


@dataclass(frozen=True, slots=True)
class Committed:
    """An actor's transaction was committed; every sale as it then is, by number."""

    actor: int
    sales: Mapping[int, SaleRow]
    #: Whether it was done by operators, after a restore or with a statement.
    by_operator: bool = False


@dataclass(frozen=True, slots=True)
class Traded:
    """A market's log has a new trade."""

    request_id: str
    lots: int


@dataclass(frozen=True, slots=True)
class Heard:
    """An actor heard an answer, which was read as `said`; of a success, the lots it names.

    `far`: it paid a price far from the one at which the order was sized, so the service may not believe it either.
    """

    actor: int
    request_id: str
    said: str
    lots: int = 0
    far: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """The database is again as it was after an earlier commit."""

    sales: Mapping[int, SaleRow]


Observed = Committed | Traded | Heard | Restored
_Follow = Callable[[Model, State, Any, int, int], Iterator[State]]


class Replay:
    """The model beside the real service: one state of it, or several that cannot be told apart, for each sale."""

    def __init__(self, actors: int) -> None:
        """Nothing is observed yet; actors are numbered from 0."""
        self._actors = actors
        self._models: dict[int, Model] = {}
        self._states: dict[int, set[State]] = {}
        self._rows: dict[int, SaleRow] = {}
        #: What each sale's books have ever been, since a restore may bring it back.
        self._past: dict[int, set[Books]] = {}
        #: Of each request that the books have ever had: sale, market, number.
        self._ids: dict[str, tuple[int, int, int]] = {}
        self._restored_once = False
        #: How many steps were replayed.
        self.steps = 0

    def play(self, observed: Iterable[Observed]) -> None:
        """Replay observations in their order. Raises NotAStep, after which the replay is of no more use."""
        for seen in observed:
            self.steps += 1
            match seen:
                case Committed():
                    self._committed(seen)
                case Traded():
                    self._narrow(seen, seen.request_id, self._traded)
                case Heard():
                    self._narrow(seen, seen.request_id, self._heard)
                case Restored():
                    self._restored(seen)

    # --- one observation ---

    def _committed(self, seen: Committed) -> None:
        if seen.by_operator:
            self._unclaimed(seen)
        for number, row in seen.sales.items():
            if number not in self._rows:
                model = Model(bounds=_bounds(self._actors, row.collateral))
                self._models[number] = model
                if number not in self._states:
                    self._states[number] = set(_first_seen(model, restored=self._restored_once))
                    self._past[number] = {state.books for state in self._states[number]}
            self._name(number, row)
            changed = row != self._rows.get(number)
            busy = any(state.workers[seen.actor].stage != IDLE for state in self._states[number])
            if not changed and not busy:
                continue
            model, found = self._models[number], set()
            for state in self._states[number]:
                for step, after in _commits(model, state, seen, row):
                    if _is(after.books, row) and not broken_by(model, state, step, after):
                        found.add(after)
            self._keep(number, found, seen)
            self._rows[number] = row
            self._past[number] |= {state.books for state in found}

    def _unclaimed(self, seen: Committed) -> None:
        """What operators may have done about the sales whose claim a restore has lost: nothing shows it yet."""
        for number in self._states.keys() - seen.sales.keys():
            model, found = self._models[number], set(self._states[number])
            for state in self._states[number]:
                begun = aftermath.after_restore(model, state) or state
                found |= {begun, *(compared for _step, compared in _compared(model, begun))}
            self._states[number] = found

    def _narrow(self, seen: Traded | Heard, request_id: str, follow: "_Follow") -> None:
        if request_id not in self._ids:
            raise NotAStep(f"{seen}: no commit has made this order")
        sale_number, place, number = self._ids[request_id]
        model, found = self._models[sale_number], set()
        for state in self._states[sale_number]:
            found |= set(follow(model, state, seen, place, number))
        self._keep(sale_number, found, seen)

    @staticmethod
    def _traded(model: Model, state: State, seen: Traded, place: int, number: int) -> Iterator[State]:
        """The trade of a late request, or of one that a worker had committed, which has left by now."""
        if after := market.trade(model, state, place, number, seen.lots):
            yield after
        for worker, about in enumerate(state.workers):
            if about.stage == COMMITTED and (about.market, about.number) == (place, number):
                left = sale.leave(state, worker)
                if left and (after := market.trade(model, left, place, number, seen.lots)):
                    yield after

    @classmethod
    def _heard(cls, model: Model, state: State, seen: Heard, place: int, number: int) -> Iterator[State]:
        if seen.far:
            yield from cls._heard(model, state, replace(seen, said=MISMATCH, far=False), place, number)
        about = state.workers[seen.actor]
        if about.stage not in (COMMITTED, CALLING) or (about.market, about.number) != (place, number):
            return
        if seen.said == NEVER_SENT:
            if after := sale.never_leave(state, seen.actor):
                yield after
            return
        for left in _left(state, seen.actor):
            # Figures that do not fit count at their second time.
            if seen.said in (UNCLEAR, MISMATCH) and (after := market.time_out(model, left, seen.actor)):
                yield after
            after = market.answer(model, left, seen.actor, seen.said) if seen.said != UNCLEAR else None
            if after and (seen.said != SUCCESS or after.workers[seen.actor].traded == seen.lots):
                yield after
            if seen.said == REFUSAL and (after := market.answer(model, left, seen.actor, REFUSAL, travels_on=True)):
                yield after

    def _restored(self, seen: Restored) -> None:
        self._restored_once = True
        for number in list(self._states):
            row, model = seen.sales.get(number), self._models[number]
            found: set[State] = set()
            for state in self._states[number]:
                for books in self._past[number]:
                    fits = books == Books() if row is None else _is(books, row)
                    if fits and (after := aftermath.restore(model, state._replace(backup=books))):
                        found.add(after)
            self._keep(number, found, seen)
            if row is not None:
                self._rows[number] = row
            else:
                self._rows.pop(number, None)

    # --- bookkeeping ---

    def _keep(self, number: int, found: set[State], seen: Observed) -> None:
        if not found:
            states = "\n  or ".join(sorted(_described(state) for state in self._states[number]))
            raise NotAStep(f"sale {number}: {_seen(seen, number)}\n  is no step of the model from {states}")
        self._states[number] = found

    def _name(self, number: int, row: SaleRow) -> None:
        """Remember what each requestId is about."""
        for order in row.orders:
            self._ids[order.request_id] = number, order.market, order.number


def _seen(seen: Observed, number: int) -> str:
    """An observation, of one sale only."""
    match seen:
        case Committed(actor, sales, _by_operator):
            return f"actor {actor} committed {sales[number]}"
        case Restored(sales):
            return f"restored {sales.get(number, 'to before its claim')}"
        case _:
            return str(seen)


def _described(state: State) -> str:
    """A state without the workers that are idle."""
    busy = {number: worker for number, worker in enumerate(state.workers) if worker.stage != IDLE}
    return f"{state.books}, known {state.known}, at work {busy}"


def _left(state: State, actor: int) -> Iterator[State]:
    """The state once an actor's request has left; those of others, which are dead or late by now, may have as well."""
    state = sale.leave(state, actor) or state
    yield state
    for other in range(len(state.workers)):
        if after := sale.leave(state, other):
            yield after


def _first_seen(model: Model, *, restored: bool) -> Iterator[State]:
    """What a sale may have been just before it is first seen: claimed, as far as that goes; or held after a restore."""
    state = beginning(model)
    accepted = state._replace(identity=1, books=Books(identity=1))
    held = accepted._replace(books=Books(identity=1, missing=MARKETS, doubted=True))
    unnoticed = state._replace(identity=1)  # nobody has accepted the restored books yet
    for before in (state, unnoticed, accepted, held) if restored else (state,):
        yield before
        yield before._replace(books=before.books._replace(sale=SELLING))


def _bounds(actors: int, collateral: int) -> Bounds:
    unbounded = replace(WHOLE, sends=_NO_BOUND, takings=_NO_BOUND, orders=_NO_BOUND, fold=False)
    return replace(unbounded, workers=actors, need=collateral, collateral=collateral)


def _commits(model: Model, state: State, seen: Committed, row: SaleRow) -> Iterator[tuple[Step, State]]:
    """What an actor's commit may have been. Whoever commits anything else has given up what it was about."""
    if seen.by_operator:
        yield ("nothing",), state
        yield from _by_people(model, state, row)
        return
    actor = seen.actor
    worker = state.workers[actor]
    if worker.stage == ANSWERED and (after := sale.book(model, state, actor)):
        yield from _perhaps_settled(("book", actor), after, row)
        if worker.fence != after.books.fence:
            yield from _send_remembered(after, worker, row)
    for given_up in _given_up(state, actor):
        yield from _begins(model, given_up, actor, row)


def _given_up(state: State, actor: int) -> Iterator[State]:
    """The state once an actor has died, if it was about anything; its request may have left before, or not."""
    for before in (state, sale.leave(state, actor)):
        if before is not None:
            yield sale.crash(before, actor) or before


def _begins(model: Model, state: State, actor: int, row: SaleRow) -> Iterator[tuple[Step, State]]:
    """What the commit of an actor that was about nothing may have been."""
    yield ("nothing",), state
    yield from _claimed(state)
    order = pending(state.books)
    if order is not None and order.status == PENDING and order.lots > sale.left_to_sell(model, state.books):
        waiting = with_order(state.books, order._replace(status=UNRESOLVED))  # a trade was adopted since
        yield ("call a person",), state._replace(books=waiting)
        return
    yield from _perhaps_settled(("settle",), state, row)
    if row.orders:
        newest = row.orders[-1]
        if after := sale.take(model, state, actor, newest.market, newest.lots):
            yield (PLACE if len(row.orders) > len(state.books.orders) else "send again", actor), after


def _claimed(state: State) -> Iterator[tuple[Step, State]]:
    """The sale is claimed once more, after a restore that had lost its claim; it may be held.

    Once it is known what the markets traded in the gap, refusals of its orders are as good as ever.
    """
    books = state.books
    if books.sale == ACTIVE and books.identity == state.identity:
        yield ("claim",), state._replace(books=books._replace(sale=SELLING))
        if not books.missing and all(known.traded or not known.late for known in state.known):
            yield ("claim",), state._replace(books=books._replace(sale=SELLING, doubted=False))


def _send_remembered(state: State, worker: Worker, row: SaleRow) -> Iterator[tuple[Step, State]]:
    """A late answer reminds restored books of the send that it answers."""
    order = order_of(state.books, worker.market, worker.number)
    there = next((one for one in row.orders if (one.market, one.number) == (worker.market, worker.number)), None)
    if state.identity and order is not None and there is not None and there.sends - there.never_sent > order.sends:
        order = order._replace(sends=there.sends - there.never_sent)
        yield ("remember",), state._replace(books=with_order(state.books, order))


def _by_people(model: Model, state: State, row: SaleRow) -> Iterator[tuple[Step, State]]:
    """What people commit. Nobody works on a sale that is held: what was sent before has arrived, or never will.

    They stop an order that is still sent, which takes the sale from its worker, before they answer for it.
    """
    order = pending(state.books)
    if order is not None and order.status == PENDING:
        stopped = with_order(state.books, order._replace(status=UNRESOLVED))._replace(fence=state.books.fence + 1)
        yield ("stop",), state._replace(books=stopped)
    if after := aftermath.resolve(model, state):
        yield from _perhaps_settled(("resolve",), after, row)
    if after := aftermath.after_restore(model, state):
        yield ("after_restore",), after
    for known in state.known:
        if after := aftermath.adopt(model, state, known.market, known.number):
            yield from _perhaps_settled(("adopt",), after, row)
            for step, compared in _compared(model, after):  # the last difference was dealt with
                yield from _perhaps_settled(step, compared, row)
    if not row.held:
        for step, compared in _compared(model, state):
            yield from _perhaps_settled(step, compared, row)
        if state.books.missing and (after := aftermath.release(model, state)):
            yield ("release",), after


def _compared(model: Model, state: State) -> Iterator[tuple[Step, State]]:
    """The statements of all markets are compared, and show no trade that is not adopted.

    A pending order that is older than the statements stays pending: they need not show its trade.
    """
    if not state.books.missing:
        return
    idle = state._replace(workers=(Worker(),) * len(state.workers))
    found: State | None = idle
    for place in state.books.missing:
        found = found and aftermath.statement(model, found, place)
    if found:
        yield ("statements",), found
        if found.books.sale == SETTLED:  # the service leaves that to the next worker
            yield ("statements",), found._replace(books=found.books._replace(sale=SELLING))
    if order := pending(state.books):
        others = [known for known in idle.known if (known.market, known.number) != (order.market, order.number)]
        if not any(aftermath.adopt(model, idle, known.market, known.number) for known in others):
            landed = tuple(known._replace(late=0) if known in others else known for known in idle.known)
            yield ("statements",), idle._replace(known=landed, books=idle.books._replace(missing=()))


def _perhaps_settled(step: Step, state: State, row: SaleRow) -> Iterator[tuple[Step, State]]:
    """The step, and that the sale is settled with it: what a claim needs is counted in GC, which the model is not."""
    yield step, state
    if row.sale == SETTLED and state.books.sale == SELLING and pending(state.books) is None:
        yield step, state._replace(books=state.books._replace(sale=SETTLED))


def _is(books: Books, row: SaleRow) -> bool:
    """Whether the model's books are what the database holds."""
    if (books.sale, books.sold, len(books.orders)) != (row.sale, row.sold, len(row.orders)):
        return False
    if row.sale != SETTLED and row.held != bool(books.missing):
        return False
    pairs = zip(books.orders, row.orders, strict=True)
    return all(_is_order(order, there, doubted=books.doubted) for order, there in pairs)


def _is_order(order: Order, row: OrderRow, *, doubted: bool) -> bool:
    """Whether an order is the same in both. `doubted`: not even refusals of all its sends prove anything."""
    left = row.sends - row.never_sent
    if (order.market, order.number, order.lots) != (row.market, row.number, row.lots):
        return False
    if row.status == FILLED and not row.sends:  # adopted: the books know of no send
        return (order.status, order.traded) == (row.status, row.traded)
    if (order.status, order.sends, order.traded) != (row.status, left, row.traded):
        return False
    if order.refusals == MIXED:
        return doubted or row.refused < left
    return order.refusals == row.refused
