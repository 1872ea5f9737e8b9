"""What a parser makes of a price event, and the bounds of every figure in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Literal

from coruscant import money, strict_json
from coruscant.text import is_storable
from pricing.quotes import Level

#: Whether a market prints the price of one unit or of the whole quantity.
Basis = Literal["unit", "total"]

QUANTITIES = (Decimal(1), Decimal(10), Decimal(50), Decimal(100))
# A larger quantity has no better unit price. One that is better is a mistake, often a wrong price basis; up to this
# much better is taken for rounding.
BETTER_WITH_DEPTH = Decimal("0.001")
TIME_INTEGER_DIGITS = 28
TIME_DECIMALS = 12
MAX_TEXT = 256
#: A price event of four levels takes less than a thousand characters.
MAX_CHARACTERS = 64 * 1024


class Unreadable(Exception):
    """The message is not a price event as its market documents it; its text is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class ParsedQuote:
    """A price event as read: the market's own time in seconds, levels ascending by quantity, unit prices in GC."""

    event_id: str | None
    market_time: Decimal
    sell: tuple[Level, ...]
    buy: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """The price of another item than Beskar, which is not recorded."""

    item: str


def read_object(body: str, *, at_most: int = MAX_CHARACTERS) -> dict[str, object]:
    """The JSON object in a body of at most `at_most` characters, its numbers as Decimal. Raises Unreadable."""
    try:
        return strict_json.read_object(body, at_most=at_most)
    except strict_json.NotStrictJSON as error:
        raise Unreadable(str(error)) from None


def text(event: dict[str, object], key: str) -> str:
    """A non-empty string that PostgreSQL can store. Raises Unreadable."""
    value = event.get(key)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{key} must be a non-empty string")
    if len(value) > MAX_TEXT:
        raise Unreadable(f"{key} must have at most {MAX_TEXT} characters")
    if not is_storable(value):
        raise Unreadable(f"{key} holds characters that are not text")
    return value


def objects(event: dict[str, object], key: str) -> list[dict[str, object]]:
    """An array of objects, at most one for each quantity. Raises Unreadable."""
    value = event.get(key)
    if not isinstance(value, list):
        raise Unreadable(f"{key} must be an array")
    if len(value) > len(QUANTITIES):
        raise Unreadable(f"{key} must have at most {len(QUANTITIES)} levels")
    for entry in value:
        if not isinstance(entry, dict):
            raise Unreadable(f"every entry of {key} must be an object")
    return value


def quantity(level: dict[str, object], key: str) -> Decimal:
    """A level's number of units: 1, 10, 50 or 100. Raises Unreadable."""
    value = level.get(key)
    if not isinstance(value, Decimal) or value not in QUANTITIES:
        raise Unreadable(f"{key} must be the number 1, 10, 50 or 100")
    return next(known for known in QUANTITIES if known == value)


def bounded_time(seconds: Decimal) -> Decimal:
    """A market's own time as it is stored, numeric(40, 12): further decimals are cut off. Raises Unreadable."""
    if not seconds.is_finite() or (seconds != 0 and seconds.adjusted() >= TIME_INTEGER_DIGITS):
        raise Unreadable(f"the time must have at most {TIME_INTEGER_DIGITS} integer digits")
    return money.round_down(seconds, TIME_DECIMALS)


def per_unit(price: Decimal, units: Decimal, basis: Basis) -> Decimal:
    """The price of one unit, from a price in the market's basis. Raises Unreadable if it cannot be stored exactly."""
    if price.is_finite() and price > 0 and money.fits(price):
        if basis == "unit":
            return price
        with money.exact():
            one = price / units
        if money.fits(one):
            return one
    raise Unreadable("a price must be positive, with at most 20 integer digits and 24 decimals")


def curve(side: Literal["sell", "buy"], levels: Sequence[Level]) -> tuple[Level, ...]:
    """The levels in ascending order. Raises Unreadable for a repeated quantity or a price better with depth."""
    ordered = tuple(sorted(levels, key=lambda level: level.quantity))
    if len({level.quantity for level in ordered}) != len(ordered):
        raise Unreadable(f"{side} names a quantity twice")
    with money.exact():
        for shallower, level in combinations(ordered, 2):
            more, less = shallower.unit_price * (1 + BETTER_WITH_DEPTH), shallower.unit_price * (1 - BETTER_WITH_DEPTH)
            # For selling, better is more; for buying, less.
            if level.unit_price > more if side == "sell" else level.unit_price < less:
                raise Unreadable(
                    f"the {side} price of {level.quantity} units is more than {BETTER_WITH_DEPTH:.1%} better than that"
                    f" of {shallower.quantity}: is the market's price basis set right?"
                )
    return ordered
