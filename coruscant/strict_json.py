"""Reading JSON from outside: no float, no duplicate key, nothing unbounded, and one kind of error."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

#: A longer number fits no column, and a greater exponent could fill memory once it is expanded.
MAX_NUMBER_CHARACTERS = 120
MAX_EXPONENT_CHARACTERS = 5


class NotStrictJSON(ValueError):
    """The body is not JSON as this module reads it; the message is one sentence for a person."""


def exact_number(text: str) -> Decimal:
    """The number exactly as it is written. Raises NotStrictJSON if it has too many characters."""
    exponent = text.lower().partition("e")[2]
    if len(text) > MAX_NUMBER_CHARACTERS or len(exponent) > MAX_EXPONENT_CHARACTERS:
        raise NotStrictJSON("A number is too long.")
    return Decimal(text)


def read_object(
    body: bytes | str, *, number: Callable[[str], object] = exact_number, at_most: int | None = None
) -> dict[str, Any]:
    """The JSON object in `body`; bytes are read as UTF-8.

    `number` makes a value of the digits of each number, by default an exact Decimal. `at_most` bounds the length of
    the body; None is for a caller that has bounded it already. Raises NotStrictJSON and nothing else, whatever `body`
    is: also for NaN, Infinity, a key that occurs twice in one object, and nesting too deep to be parsed.
    """
    if at_most is not None and len(body) > at_most:
        raise NotStrictJSON(f"The body has {len(body)} characters; at most {at_most} are read.")
    try:
        value = json.loads(
            body.decode("utf-8") if isinstance(body, bytes) else body,
            object_pairs_hook=_without_duplicates,
            parse_int=number,
            parse_float=number,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError:
        raise NotStrictJSON("The body is not UTF-8.") from None
    except RecursionError:
        raise NotStrictJSON("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise NotStrictJSON(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    if not isinstance(value, dict):
        raise NotStrictJSON("The body must be a JSON object.")
    return value


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrictJSON("A key occurs twice in the same object.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise NotStrictJSON(f"{name} is not JSON.")
