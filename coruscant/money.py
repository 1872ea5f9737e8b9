"""Exact decimal arithmetic for units of Beskar and Galactic Credits (GC).

Amounts are numeric(44, 24): twenty integer digits, twenty-four decimals, which holds every amount a
JavaScript client prints without an exponent. Products and cross products of such figures need more digits than
the 28 of Python's default context, so every calculation runs in `CONTEXT`.
"""

import re
from contextlib import AbstractContextManager
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache

MAX_INTEGER_DIGITS = 20
DECIMAL_PLACES = 24
MAX_DIGITS = MAX_INTEGER_DIGITS + DECIMAL_PLACES

#: Wide enough that sums, products and cross products of stored figures are exact. Python's own default traps:
#: InvalidOperation, DivisionByZero and Overflow raise.
CONTEXT = Context(prec=120, rounding=ROUND_HALF_EVEN)

ZERO = Decimal(0)
#: Longer texts are refused unread: no amount needs as many characters, leading zeros included.
LONGEST_TEXT = 200
_UPPER_BOUND = Decimal(10) ** MAX_INTEGER_DIGITS

_PLAIN = re.compile(r"(?P<integer>[0-9]+)(?:\.(?P<fraction>[0-9]+))?(?:[eE](?P<exponent>[+-]?[0-9]{1,4}))?", re.ASCII)


class NotAnAmount(ValueError):
    """The text is not a positive decimal within the bounds of an amount; the message says why, for a person."""


def exact() -> AbstractContextManager[Context]:
    """Run a block in a copy of `CONTEXT`, whatever the thread's default context is."""
    return localcontext(CONTEXT)


def parse_amount(text: object) -> Decimal:
    """Read a positive amount from a string: digits, an optional fraction, an optional exponent.

    At most `MAX_INTEGER_DIGITS` integer digits and `DECIMAL_PLACES` decimals remain after the exponent is
    applied; an exponent is bounded before it is expanded. Raises NotAnAmount.
    """
    if not isinstance(text, str):
        raise NotAnAmount("must be a string holding a decimal number")
    match = _PLAIN.fullmatch(text) if len(text) <= LONGEST_TEXT else None
    if match is None:
        raise NotAnAmount("must be a plain decimal number: digits, optionally a point and more digits")
    value = Decimal(text)
    if value == 0:
        raise NotAnAmount("must be greater than zero")
    written = match["exponent"] is None  # without an exponent, leading and trailing zeros count too
    if value.adjusted() >= MAX_INTEGER_DIGITS or (written and len(match["integer"]) > MAX_INTEGER_DIGITS):
        raise NotAnAmount(f"must have at most {MAX_INTEGER_DIGITS} integer digits")
    if (
        value.adjusted() < -DECIMAL_PLACES
        or (written and len(match["fraction"] or "") > DECIMAL_PLACES)
        or value != round_down(value, DECIMAL_PLACES)
    ):
        raise NotAnAmount(f"must have at most {DECIMAL_PLACES} decimals")
    return value


def fits(value: Decimal) -> bool:
    """Whether a non-negative figure can be stored without loss: at most 20 integer digits and 24 decimals."""
    if not value.is_finite() or value < 0 or value >= _UPPER_BOUND:
        return False
    return value == 0 or (value.adjusted() >= -DECIMAL_PLACES and value == round_down(value, DECIMAL_PLACES))


def decimal_string(value: Decimal) -> str:
    """Print a figure as a plain decimal: no exponent, no trailing zeros after the point, never a float."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text


def round_down(value: Decimal, places: int) -> Decimal:
    """Round towards minus infinity to `places` decimals."""
    return value.quantize(_unit(places), rounding=ROUND_FLOOR, context=CONTEXT)


def round_up(value: Decimal, places: int) -> Decimal:
    """Round towards plus infinity to `places` decimals."""
    return value.quantize(_unit(places), rounding=ROUND_CEILING, context=CONTEXT)


@lru_cache(maxsize=64)
def _unit(places: int) -> Decimal:
    """1 in the last of that many decimals."""
    return Decimal(1).scaleb(-places)


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value`; both non-negative."""
    with exact():
        return (value // step) * step
