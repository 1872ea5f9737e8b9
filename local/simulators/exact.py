"""JSON and numbers without floats: every digit is kept, in and out."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Context, Decimal, InvalidOperation, localcontext
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, NoReturn

PLAIN_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")
"""Digits with an optional fraction: no sign, no exponent, no leading or trailing zeros."""
_CONSTANTS = {None: "null", True: "true", False: "false"}


# The bank's figures have 44 digits at most.
_ENOUGH_DIGITS = 120


def exact() -> AbstractContextManager[Context]:
    """Return a context manager in which sums keep every digit; by default Python keeps 28."""
    return localcontext(prec=_ENOUGH_DIGITS)


class BadJsonError(ValueError):
    """The text is not JSON, or can be read in more than one way."""


def _with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadJsonError("an object names a key twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise BadJsonError(f"{name} is not a number")


def read_json(raw: bytes | str) -> Any:
    """Read JSON, every number as a Decimal.

    Raises BadJsonError for broken text, NaN, Infinity, a key named twice, or nesting too deep to read.
    """
    try:
        return json.loads(
            raw,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_with_unique_keys,
        )
    except BadJsonError:
        raise
    except (ValueError, InvalidOperation, RecursionError) as error:
        raise BadJsonError(f"not readable as JSON: {error}") from error


def plain(value: Decimal | int) -> str:
    """Write a number in plain digits: no exponent, no trailing zeros, never `-0`."""
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def write_json(value: Any) -> str:
    """Write JSON, Decimals as plain JSON numbers. A float is a TypeError: none belongs here."""
    match value:
        case str():
            return _quoted(value)
        case None | True | False:
            return _CONSTANTS[value]
        case Decimal() | int():
            return plain(value)
        case Mapping():
            members = (f"{_quoted(str(key))}: {write_json(item)}" for key, item in value.items())
            return "{" + ", ".join(members) + "}"
        case Sequence():
            return "[" + ", ".join(map(write_json, value)) + "]"
    raise TypeError(f"{type(value).__name__} has no exact form in JSON")


def is_plain_decimal(text: object) -> bool:
    """Return whether this is a string that the contracts call a plain decimal."""
    return isinstance(text, str) and PLAIN_DECIMAL.fullmatch(text) is not None


def read_decimal(given: Any, name: str) -> Decimal:
    """Read a JSON number or a decimal string; raises BadJsonError for anything else."""
    if isinstance(given, Decimal | str):
        try:
            value = Decimal(given)
        except InvalidOperation:
            value = Decimal("NaN")
        if value.is_finite():
            return value
    raise BadJsonError(f"{name} must be a number")
