"""The planted bugs: what careful people get wrong in a system like this one."""

from proofs.mutants.catalogue import (
    answers,
    approvals,
    broker,
    claims,
    controls,
    events,
    guard,
    history,
    loan_events,
    prices,
    requests,
    restores,
    sales,
    terms,
)
from proofs.mutants.planting import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *sales.MUTANTS,
    *answers.MUTANTS,
    *claims.MUTANTS,
    *requests.MUTANTS,
    *prices.MUTANTS,
    *guard.MUTANTS,
    *events.MUTANTS,
    *loan_events.MUTANTS,
    *history.MUTANTS,
    *approvals.MUTANTS,
    *broker.MUTANTS,
    *restores.MUTANTS,
    *terms.MUTANTS,
    *controls.MUTANTS,
)

_BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


def named(name: str) -> Mutant:
    """The mutant of this name. Raises LookupError."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise LookupError(f"there is no mutant {name}; there are {', '.join(_BY_NAME)}") from None
