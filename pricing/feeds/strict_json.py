"""JSON as strictly as money needs it: exact, bounded, and refused with one kind of error."""

import json
from decimal import Decimal
from typing import NoReturn

from pricing.feeds.event import Unreadable

#: A price event of four levels takes less than a thousand characters.
MAX_CHARACTERS = 64 * 1024
# Longer numbers fit no column; a greater exponent is refused before anything expands it.
_MAX_NUMBER_CHARACTERS = 100
_MAX_EXPONENT_CHARACTERS = 5


def read_object(body: str, *, at_most: int = MAX_CHARACTERS) -> dict[str, object]:
    """Read one JSON object, its numbers as Decimal. Raises Unreadable, and nothing else, whatever `body` is."""
    if len(body) > at_most:
        raise Unreadable(f"the body has {len(body)} characters; at most {at_most} are read")
    try:
        value = json.loads(
            body,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise Unreadable("the body is nested too deeply") from None
    except ValueError as error:
        raise Unreadable(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Unreadable("the body must be a JSON object")
    return value


def _number(text: str) -> Decimal:
    exponent = text.lower().partition("e")[2]
    if len(text) > _MAX_NUMBER_CHARACTERS or len(exponent) > _MAX_EXPONENT_CHARACTERS:
        raise Unreadable("a number is too long")
    return Decimal(text)


def _no_constant(text: str) -> NoReturn:
    raise Unreadable(f"{text} is not a number")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("an object names a key twice")
    return found
