"""How the page of a loan writes figures, markets, and who or what caused a step. Pure."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from coruscant import money
from pricing.markets import Market

_PRICE_PLACES: Final = 4
_SYSTEM: Final = "system"
#: What runs by itself, by the action of its cause.
_BY_ITSELF: Final = {"sell": "sale", "publish": "publication", "expire": "time"}


def amount(value: Decimal) -> str:
    """A figure with all its digits, thousands separated."""
    return f"{Decimal(money.decimal_string(value)):,f}"


def price(value: Decimal) -> str:
    """A price in GC a unit: rounded to four decimals, if it has more."""
    rounded = value.quantize(Decimal(1).scaleb(-_PRICE_PLACES), rounding=ROUND_HALF_EVEN, context=money.CONTEXT)
    return f"{amount(rounded if rounded else value)} GC a unit"


def market(name: str) -> str:
    """A market by the first part of its label; a name that is none of ours as it is."""
    return Market(name).label.partition(",")[0] if name in list(Market) else name


def who(cause: Mapping[str, Any]) -> str:
    """Who or what a cause of the timeline (`desk.evidence.timeline.cause_of`) names: a person, a client, a price."""
    if cause["actor"] != _SYSTEM:
        return str(cause["actor"])
    action = cause["action"]
    if action in _BY_ITSELF:
        return _BY_ITSELF[action]
    name, colon, _reference = cause["correlationId"].partition(":")
    if colon and name in list(Market):
        return f"price of {market(name)}"
    return action.replace("_", " ") or _SYSTEM
