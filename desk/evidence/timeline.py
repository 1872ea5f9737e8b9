"""What happened to a loan, from the history of all audited tables: each change, who or what caused it, and why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from desk.evidence.values import camel

#: Actions of more than one word. A cause is an action and what set it off, with a blank between the two.
_OF_SEVERAL_WORDS: Final = ("after restore", "release claims", "release compared", "release sale", "stop sending")


def timeline(history: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """All changes in the order in which they were made; those of one instant in the order of `history`'s tables.

    Each has the columns that changed, with their new values: of a row's first entry, all of them.
    """
    found = [
        (entry.history_date, order, entry.history_id, change)
        for order, (table, entries) in enumerate(history.items())
        for entry, change in _changes(table, entries)
    ]
    return [change for *_place, change in sorted(found, key=lambda one: one[:3])]


def cause_of(entry: Any) -> dict[str, Any]:
    """Why a row changed, as its history says. `correlationId` names what set it off: a requestId, a price event…"""
    reason = entry.history_change_reason or ""
    action = next((words for words in _OF_SEVERAL_WORDS if f"{reason} ".startswith(f"{words} ")), None)
    if action is None:
        action = reason.partition(" ")[0]
    return {
        "reason": reason,
        "action": action,
        "correlationId": reason[len(action) :].strip(),
        "actor": entry.history_actor,
        "actorId": entry.history_user_id,
        "sessionUser": entry.history_session_user,
    }


def _changes(table: str, entries: Sequence[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The history rows of a table, the oldest first, each with what it changed."""
    before: dict[Any, dict[str, Any]] = {}
    for entry in entries:
        values = _values(entry)
        known = before.get(entry.id, {})
        yield (
            entry,
            {
                "at": entry.history_date,
                "table": table,
                "row": entry.id,
                "change": "created" if entry.history_type == "+" else "changed",
                "values": {name: value for name, value in values.items() if name not in known or known[name] != value},
                "cause": cause_of(entry),
            },
        )
        before[entry.id] = values


def _values(entry: Any) -> dict[str, Any]:
    """The audited columns of a row as they were, but for its id. A reference to another row is that row's id."""
    return {camel(field.name): getattr(entry, field.attname) for field in entry.tracked_fields if not field.primary_key}
