"""What happened to a loan, from the history of all tables and the rows that have none. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from desk.evidence.books import Books
from desk.evidence.timeline import timeline
from desk.loan import of_loan, of_people, of_sale
from desk.loan.step import Change, Known, Step

#: What tells of a table's changes. Of steps of one instant, those of the tables named first come first.
_TELLERS: Final[Mapping[str, Callable[[Change, Known], Step | None]]] = {
    "posting": of_loan.posting,
    "loan": of_loan.loan,
    "marginCall": of_loan.margin_call,
    "order": of_sale.order,
    "liquidation": of_sale.liquidation,
    "event": of_sale.event,
    "difference": of_sale.difference,
    "approval": of_people.approval,
    "control": of_people.control,
    "restore": of_people.restore,
}


def steps(books: Books, *, whole: bool = True) -> list[Step]:
    """Everything that happened as far as these rows tell, the oldest first; `whole`: they are all there are.

    The instants are those of the rows themselves where they keep them, and else those of history.
    """
    known = Known(books, whole)
    by_table: dict[str, list[Step]] = {table: [] for table in _TELLERS}
    states: dict[tuple[str, Any], dict[str, Any]] = {}
    for entry in timeline(books.history):
        table, row = entry["table"], entry["row"]
        created, before = entry["change"] == "created", states.get((table, row))
        states[table, row] = state = {**(before or {}), **entry["values"]}
        if not created and before is None:
            continue  # the oldest that was read of it: what it changed is not known
        change = Change(
            at=entry["at"], table=table, row=row, created=created, values=entry["values"], state=dict(state),
            cause=entry["cause"],
        )  # fmt: skip
        if step := _TELLERS[table](change, known):
            by_table[table].append(step)
    found = [*of_loan.without_history(known), *of_sale.without_history(known)]
    found += [step for of_table in by_table.values() for step in of_table]
    if whole:
        named = {step.told.event_id for step in found if step.told}
        found += [of_loan.event(event) for event in books.loan_events if str(event.event_id) not in named]
    return sorted(found, key=lambda step: step.at)
