"""What a market does with a request, and what its sender hears; each function is one step, as in sale.py."""

from proofs.model.rules import REFUSALS_BELIEVED, Model
from proofs.model.state import (
    ANSWERED,
    CALLING,
    MIXED,
    REFUSAL,
    SUCCESS,
    UNCLEAR,
    VOID,
    Known,
    State,
    Worker,
    known_of,
    with_known,
    with_worker,
)


def trade(model: Model, state: State, market: int, number: int, lots: int) -> State | None:
    """A request for an order arrives, awaited or late, and so many lots of it are traded."""
    known = known_of(state, market, number)
    most = known.late
    for worker in state.workers:
        if worker.stage == CALLING and worker.market == market and worker.number == number:
            most = max(most, worker.lots)
    if not 0 < lots <= most or known.traded == VOID or (known.traded and model.assumptions.trades_once):
        return None
    return state._replace(known=with_known(state.known, known._replace(traded=known.traded + lots)))


def answer(model: Model, state: State, number: int, said: str, *, travels_on: bool = False) -> State | None:
    """A worker hears what is `said` to its request.

    `travels_on`: it comes from something in between, or is a time-out, and the request may still arrive.
    """
    worker = state.workers[number]
    if worker.stage != CALLING:
        return None
    known = known_of(state, worker.market, worker.number)
    if said == SUCCESS and known.traded <= 0:
        return None
    if travels_on:
        known = known._replace(late=max(known.late, worker.lots))
    if any(_calls(other, worker) for place, other in enumerate(state.workers) if place != number):
        known = known._replace(refusals=MIXED)  # a request without an answer
    heard = _refused(model, known) if said == REFUSAL else known._replace(refusals=MIXED)
    if heard is None:
        return None
    if said == REFUSAL and not travels_on and heard.traded == 0 and model.bounds.remembers[worker.market]:
        heard = heard._replace(traded=VOID)
    traded = heard.traded if said == SUCCESS else 0
    worker = worker._replace(stage=ANSWERED, answer=said, traded=traded)
    return state._replace(known=with_known(state.known, heard), workers=with_worker(state.workers, number, worker))


def time_out(model: Model, state: State, number: int) -> State | None:
    """A worker hears nothing that proves anything: a time-out, a lost answer, a 5xx, a doubtful refusal."""
    return answer(model, state, number, UNCLEAR, travels_on=True)


def _calls(other: Worker, worker: Worker) -> bool:
    """Whether another worker waits for an answer to the same order."""
    return other.stage == CALLING and (other.market, other.number) == (worker.market, worker.number)


def _refused(model: Model, known: Known) -> Known | None:
    """The order after one more clean refusal; None if nobody would refuse now.

    The last of three such refusals is never false, if each request had one: that is the assumption.
    """
    if known.refusals == MIXED:
        return known
    if known.refusals < REFUSALS_BELIEVED - 1:
        return known._replace(refusals=known.refusals + 1)
    if not model.assumptions.refuses_twice:
        return known
    return None if known.traded > 0 else known._replace(late=0)
