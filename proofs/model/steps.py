"""Every step that is possible in a state, with its name: what the check tries, and what a trace tells."""

from collections.abc import Iterator
from typing import Final

from proofs.model import aftermath, market, sale
from proofs.model.merge import merged
from proofs.model.rules import Model
from proofs.model.state import (
    CALLING,
    DOUBTFUL,
    DUPLICATE,
    IDLE,
    MARKETS,
    MISMATCH,
    REFUSAL,
    SETTLED,
    SUCCESS,
    State,
    known_of,
    pending,
)

#: A step's name and what it is about: numbers of workers, markets, orders and lots, and what was said.
Step = tuple[str | int, ...]

CLAIM: Final = "claim"
PLACE: Final = "place"
RESEND: Final = "send again"
LEAVE: Final = "leave"
NEVER_LEAVE: Final = "never leave"
ANSWER: Final = "answer"
IN_BETWEEN: Final = "refusal in between"
TIME_OUT: Final = "time out"
TRADE: Final = "trade"
BOOK: Final = "book"
CRASH: Final = "crash"
RESOLVE: Final = "resolve"
RESTORE: Final = "restore"
AFTER_RESTORE: Final = "after_restore"
ADOPT: Final = "adopt"
STATEMENT: Final = "statement"
RELEASE: Final = "release"
_WORDS = (SUCCESS, REFUSAL, DUPLICATE, MISMATCH)
#: Put before a step whose commit, and all since, the restore will lose.
LOST: Final = "lost"


def steps(model: Model, state: State) -> Iterator[tuple[Step, State]]:
    """Each step that is possible, and the state after it."""
    open_for_backup = model.bounds.restore and state.backup is None and not state.identity
    for step, found in _steps(model, state):
        after = merged(model, found)
        yield step, after
        if open_for_backup and after.books != state.books:
            yield (LOST, *step), merged(model, found._replace(backup=state.books))


def _steps(model: Model, state: State) -> Iterator[tuple[Step, State]]:
    if found := sale.claim(model, state):
        yield (CLAIM,), found
    for number, worker in enumerate(state.workers):
        if worker.stage == IDLE:
            if all(other.stage != IDLE for other in state.workers[:number]):  # idle workers are alike
                yield from _takings(model, state, number)
        else:
            yield from _workings(model, state, number)
    for place, order, most in _under_way(state):
        for lots in range(1, most + 1):
            if found := market.trade(model, state, place, order, lots):
                yield (TRADE, place, order, lots), found
    if found := aftermath.resolve(model, state):
        yield (RESOLVE,), found
    for known in state.known:
        if found := aftermath.adopt(model, state, known.market, known.number):
            yield (ADOPT, known.market, known.number), found
    if model.bounds.restore:
        yield from _restorings(model, state)


def _takings(model: Model, state: State, number: int) -> Iterator[tuple[Step, State]]:
    order = pending(state.books)
    if order is not None and not sale.gives_up(model, order):
        if found := sale.take(model, state, number, order.market, order.lots):
            yield (RESEND, number, order.market, order.number), found
        return
    lots = sale.left_to_sell(model, state.books)
    alike = model.bounds.remembers[0] == model.bounds.remembers[1]
    for place in MARKETS:
        if place and alike and not state.books.orders and not state.known:
            continue  # markets that nothing tells apart
        if found := sale.take(model, state, number, place, lots):
            yield (PLACE, number, place, sale.next_number(model, state, place), lots), found


def _workings(model: Model, state: State, number: int) -> Iterator[tuple[Step, State]]:
    if found := sale.leave(state, number):
        yield (LEAVE, number), found
    if found := sale.never_leave(state, number):
        yield (NEVER_LEAVE, number), found
    if found := sale.book(model, state, number):
        yield (BOOK, number), found
    if found := sale.crash(state, number):
        yield (CRASH, number), found
    if state.workers[number].stage == CALLING:
        yield from _answers(model, state, number)


def _answers(model: Model, state: State, number: int) -> Iterator[tuple[Step, State]]:
    if found := market.time_out(model, state, number):
        yield (TIME_OUT, number), found
    worker = state.workers[number]
    known = known_of(state, worker.market, worker.number)
    if not known.traded and (found := market.answer(model, state, number, REFUSAL, travels_on=True)):
        yield (IN_BETWEEN, number), found
    for said in _WORDS if model.rules.doubt else (*_WORDS, DOUBTFUL):  # not believed, it is like a time-out
        if found := market.answer(model, state, number, said):
            yield (ANSWER, number, said), found


def _under_way(state: State) -> Iterator[tuple[int, int, int]]:
    """Market, number and lots of each order of which a request may arrive."""
    calling = [worker for worker in state.workers if worker.stage == CALLING]
    called = {(worker.market, worker.number): worker.lots for worker in calling}
    for known in state.known:
        if known.late and (known.market, known.number) not in called:
            yield known.market, known.number, known.late
    for (place, number), lots in called.items():
        yield place, number, max(lots, known_of(state, place, number).late)


def _restorings(model: Model, state: State) -> Iterator[tuple[Step, State]]:
    if found := aftermath.restore(model, state):
        yield (RESTORE,), found
    if found := aftermath.after_restore(model, state):
        yield (AFTER_RESTORE,), found
    for place in state.books.missing:
        if found := aftermath.statement(model, state, place):
            yield (STATEMENT, place), found
    if model.bounds.release and (found := aftermath.release(model, state)):
        yield (RELEASE,), found


def is_an_end(model: Model, state: State) -> bool:
    """Whether a sale may stop here: settled, a person has been told, or the model goes no further."""
    books = state.books
    if books.sale == SETTLED:
        return True
    order = pending(books)
    if order is None:
        return len(books.orders) >= model.bounds.orders
    if order.sends >= model.bounds.sends:
        return True
    return known_of(state, order.market, order.number).traded > order.lots


#: Of each step: what its numbers are, and how it is told.
_TOLD: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    CLAIM: ((), "the loan is claimed"),
    PLACE: (
        ("worker", "market", "order", "lots"),
        "{worker} takes the sale and commits order {order} of {market}, for {lots}",
    ),
    RESEND: (
        ("worker", "market", "order"),
        "{worker} takes the sale and counts another send of order {order} of {market}",
    ),
    LEAVE: (("worker",), "{worker}'s request leaves"),
    NEVER_LEAVE: (("worker",), "{worker} gets no connection"),
    ANSWER: (("worker", "said"), "{worker} hears from the market: {said}"),
    IN_BETWEEN: (
        ("worker",),
        "{worker} hears from something in between: clean refusal; its request travels on",
    ),
    TIME_OUT: (("worker",), "{worker} hears nothing that proves anything; its request may arrive late"),
    TRADE: (("market", "order", "lots"), "a request for order {order} arrives at {market}, which trades {lots}"),
    BOOK: (("worker",), "{worker} books what that proves"),
    CRASH: (("worker",), "{worker} dies"),
    RESOLVE: ((), "a person asks the market about the unresolved order, and books what it says"),
    RESTORE: ((), "the database is restored"),
    AFTER_RESTORE: ((), "an operator runs after_restore"),
    ADOPT: (("market", "order"), "order {order} of {market} is adopted from a statement"),
    STATEMENT: (("market",), "the statement of {market} is compared to its end"),
    RELEASE: ((), "a person releases the sale without statements"),
}


def told(step: Step) -> str:
    """A step in words."""
    if step[0] == LOST:
        return f"{told(step[1:])}   [the restore will lose this commit and all later ones]"
    names, text = _TOLD[str(step[0])]
    words = dict(zip(names, step[1:], strict=True))
    if "worker" in words:
        words["worker"] = f"worker {int(words['worker']) + 1}"
    if "market" in words:
        words["market"] = f"market {'AB'[int(words['market'])]}"
    return text.format(**words)
