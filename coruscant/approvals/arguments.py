"""The arguments of an action: JSON in which every figure is a string, so that what is stored is exactly what was asked.

`exact` makes it when somebody asks; `read` is for the actions, which get it back from the database.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from coruscant.errors import DomainError
from coruscant.money import decimal_string
from coruscant.text import is_storable

Arguments = Mapping[str, Any]


class ArgumentsDoNotFit(DomainError):
    """An action was asked for with arguments that it does not take."""

    code = "arguments-do-not-fit"
    title = "The arguments do not fit the action"
    status: ClassVar[int] = 422


def exact(arguments: Arguments) -> dict[str, Any]:
    """The arguments as they are stored: a Decimal becomes a plain string.

    Raises ArgumentsDoNotFit for text that no column can hold, and TypeError for a value without an exact form, such as
    a float.
    """
    return {_text(name): _exact(value) for name, value in arguments.items()}


def _exact(value: object) -> Any:
    match value:
        case None | bool() | int():
            return value
        case str():
            return _text(value)
        case Decimal() if value.is_finite():
            return decimal_string(value)
        case UUID():
            return str(value)
        case Mapping():
            return exact(value)
        case list() | tuple():
            return [_exact(item) for item in value]
    raise TypeError(f"{value!r} has no exact form in JSON")


def _text(text: str) -> str:
    if not is_storable(text):
        raise ArgumentsDoNotFit("The arguments hold a character that cannot be stored.")
    return text


def read(arguments: Arguments, **readers: Callable[[Any], Any]) -> dict[str, Any]:
    """The value of each argument, as its reader makes it of what is stored: `read(arguments, units=parse_amount)`.

    A reader raises ValueError with the end of a sentence, as `money.parse_amount` does. Raises ArgumentsDoNotFit; also
    for an argument that is missing, and for one that has no reader.
    """
    if set(arguments) != set(readers):
        raise ArgumentsDoNotFit(f"The arguments are {', '.join(readers)}: no others, and none is left out.")
    found = {}
    for name, reader in readers.items():
        try:
            found[name] = reader(arguments[name])
        except ValueError as error:
            raise ArgumentsDoNotFit(f"The argument {name} {error}.") from None
    return found


def whole(value: object) -> int:
    """A reader of whole numbers that are not negative, such as a row's id. A number, or its digits as a string."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    if isinstance(value, str) and re.fullmatch("0|[1-9][0-9]{0,18}", value):
        return int(value)
    raise ValueError("must be a whole number")


def words(value: object) -> str:
    """A reader of text that is not empty."""
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError("must be a text")


def texts(value: object) -> list[str]:
    """A reader of a list of texts, which may be empty."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise ValueError("must be a list of texts")
