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
    ANSWERED,
    CALLING,
    COMMITTED,
    IDLE,
    MISMATCH,
    MIXED,
    NEVER_SENT,
    REFUSAL,
    SELLING,
    SETTLED,
    SUCCESS,
    UNCLEAR,
    Books,
    Order,
    State,
    Worker,
    pending,
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
    """An actor heard an answer, which was read as `said`; of a success, the lots it names."""

    actor: int
    request_id: str
    said: str
    lots: int = 0


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
        for number, row in seen.sales.items():
            if number not in self._states:
                model = Model(bounds=_bounds(self._actors, row.collateral))
                self._models[number] = model
                claimed = sale.claim(model, beginning(model))
                assert claimed is not None, "nothing is held"
                self._states[number], self._past[number] = {claimed}, {Books(), claimed.books}
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

    @staticmethod
    def _heard(model: Model, state: State, seen: Heard, place: int, number: int) -> Iterator[State]:
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


def _bounds(actors: int, collateral: int) -> Bounds:
    unbounded = replace(WHOLE, sends=_NO_BOUND, takings=_NO_BOUND, orders=_NO_BOUND, fold=False)
    return replace(unbounded, workers=actors, need=collateral, collateral=collateral)


def _commits(model: Model, state: State, seen: Committed, row: SaleRow) -> Iterator[tuple[Step, State]]:
    """What an actor's commit may have been. Whoever commits anything else has given up what it was about."""
    if seen.by_operator:
        yield ("nothing",), state
        yield from _after_a_restore(model, state, row)
        return
    actor = seen.actor
    worker = state.workers[actor]
    if worker.stage == ANSWERED and (after := sale.book(model, state, actor)):
        yield from _perhaps_settled(("book", actor), after, row)
    if worker.stage != IDLE:
        died = sale.crash(state, actor)
        assert died is not None, "it was not idle"
        state = died
    yield ("nothing",), state
    yield from _perhaps_settled(("settle",), state, row)
    if after := aftermath.resolve(model, state):
        yield from _perhaps_settled(("resolve",), after, row)
    if row.orders:
        newest = row.orders[-1]
        if after := sale.take(model, state, actor, newest.market, newest.lots):
            yield (PLACE if len(row.orders) > len(state.books.orders) else "send again", actor), after


def _after_a_restore(model: Model, state: State, row: SaleRow) -> Iterator[tuple[Step, State]]:
    """What operators commit. Nobody works on a sale that is held: what was sent before has arrived, or never will."""
    if after := aftermath.after_restore(model, state):
        yield ("after_restore",), after
    for known in state.known:
        if after := aftermath.adopt(model, state, known.market, known.number):
            yield from _perhaps_settled(("adopt",), after, row)
    if state.books.missing and not row.held:
        compared: State | None = state._replace(workers=(Worker(),) * len(state.workers))
        for place in state.books.missing:
            compared = compared and aftermath.statement(model, compared, place)
        if compared:
            yield from _perhaps_settled(("statements",), compared, row)
        if after := aftermath.release(model, state):
            yield from _perhaps_settled(("release",), after, row)


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
    if (order.status, order.sends, order.traded) != (row.status, left, row.traded):
        return False
    if order.refusals == MIXED:
        return doubted or row.refused < left
    return order.refusals == row.refused
