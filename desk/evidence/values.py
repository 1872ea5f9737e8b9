"""How the evidence writes values: figures as decimal strings, instants in UTC, names as the API spells them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from coruscant.money import decimal_string
from loans.representation import instant_string


def plain(value: Any) -> Any:
    """A value, or all values of a dict or list, as JSON has them. Raises TypeError for a type that it does not know.

    A float, which a JSON column of rows written by hand may hold, becomes the string that it was read from.
    """
    match value:
        case None | bool() | int():
            return value
        case str():
            return str(value)  # a choice is a string of its own type
        case Decimal():
            return decimal_string(value)
        case datetime():
            return instant_string(value)
        case UUID() | float():
            return str(value)
        case dict():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
    raise TypeError(f"evidence has no form for {value!r}")


def camel(name: str) -> str:
    """A column's name as the API would spell it: `created_at` is `createdAt`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def picked(row: Any, *names: str) -> dict[str, Any]:
    """These attributes of a row, under the names that the API would give them."""
    return {camel(name): getattr(row, name) for name in names}
