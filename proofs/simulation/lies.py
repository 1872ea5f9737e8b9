"""What a market that lies says: words, statuses and figures. Pure."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from pricing.markets import Market


class Story(Enum):
    """What a market says of an order that it has traded."""

    TRUTH = auto()
    REFUSED = auto()
    DOUBT = auto()
    DUPLICATE = auto()
    REFUSED_WITH_FIGURES = auto()
    REFUSED_ODDLY = auto()
    WRONG_FIGURES = auto()
    WRONG_TOTAL = auto()


PLAIN = ("no buyers", "closed for lunch", "not today", "E-1042")
"""Nothing in these admits a doubt."""
DOUBTS = (
    "order status unknown",
    "order already exists",
    "a request with this id is in progress",
    "upstream timeout",
    "connection to the matching engine was lost",
    "internal error",
    "accepted, execution pending",
    "this may have been executed",
)
"""Each admits that the order may have been traded."""
PLAIN_STATUSES = (200, 200, 400, 403, 404, 422)
ODD_STATUSES = (202, 301, 307, 408, 409, 425, 429)

FIGURES: dict[Market, tuple[dict[str, str], ...]] = {
    Market.MOS_ESPA: (
        {"orderId": "{id}"},
        {"quantity": "{units:f}"},
        {"price": "{total:f}"},
        {"orderId": "{id}", "quantity": "{units:f}", "price": "{total:f}"},
        {"execution": "{units:f} for {total:f}"},
    ),
    Market.BLACK_SPIRE_OUTPOST: (
        {"id": "{id}"},
        {"amount": "{units:f}"},
        {"totalPrice": "{total:f}"},
        {"id": "{id}", "amount": "{units:f}", "totalPrice": "{total:f}"},
        {"execution": "{units:f} for {total:f}"},
    ),
}
"""What a refusal may say of the trade: an order id, units, a total in GC, or all of it under a name nobody knows."""
MORE: tuple[dict[str, Any], ...] = (
    {"error": ""},
    {"error": None, "reason": False},
    {"reason": ""},
    {"error": False},
    {"status": "FILLED", "fees": [{"amount": "0.01"}], "note": None},
)
"""What a success may say beyond the contract, and what means nothing."""

ANOTHER_ORDER = "another order's"
WRONG_FIGURES = ("more than ordered", "nothing paid", ANOTHER_ORDER)
WRONG_TOTALS = ("unit price", "total of totals", "next to nothing", "all the credits there are")
VARIANTS: dict[Story, tuple[str, ...]] = {
    Story.TRUTH: ("",),
    Story.REFUSED: PLAIN,
    Story.DOUBT: DOUBTS,
    Story.DUPLICATE: ("duplicate request",),
    Story.REFUSED_WITH_FIGURES: PLAIN,
    Story.REFUSED_ODDLY: PLAIN,
    Story.WRONG_FIGURES: WRONG_FIGURES,
    Story.WRONG_TOTAL: WRONG_TOTALS,
}
"""How it may tell each story."""
#: From so many units on, and so many GC, a wrong total is out of all proportion, however prices have moved.
_MANY_UNITS, _MUCH = Decimal(12), Decimal(10)


@dataclass(frozen=True, slots=True)
class Trade:
    """What a market did trade, whatever it says of it: units, and GC in total."""

    units: Decimal
    proceeds: Decimal
    order_id: str
    #: Whether it traded at a price that nobody would believe.
    far_off: bool = False


def figures(template: dict[str, str], trade: Trade) -> dict[str, str]:
    """What a refusal says of a trade, by one of FIGURES."""
    values = {"id": trade.order_id, "units": trade.units, "total": trade.proceeds}
    return {key: text.format_map(values) for key, text in template.items()}


def would_be_clearly_wrong(trade: Trade) -> bool:
    """Whether no wrong total of this trade could be true."""
    return not trade.far_off and is_large(trade.units, trade.proceeds)


def is_large(units: Decimal, proceeds: Decimal) -> bool:
    """Whether so many units for so many GC in total are enough for a wrong total to be far from them."""
    return units >= _MANY_UNITS and proceeds >= _MUCH


def wrong(how: str, trade: Trade, *, ordered: Decimal) -> Trade:
    """The trade as the market reports it wrongly, one of WRONG_FIGURES and WRONG_TOTALS."""
    match how:
        case "more than ordered":
            return replace(trade, units=trade.units + ordered)
        case "nothing paid":
            return replace(trade, proceeds=Decimal(0))
        case "unit price":
            return replace(trade, proceeds=trade.proceeds / trade.units)
        case "total of totals":
            return replace(trade, proceeds=trade.proceeds * trade.units)
        case "next to nothing":
            return replace(trade, proceeds=Decimal(10) ** -8)
        case "all the credits there are":
            return replace(trade, proceeds=Decimal(10) ** 15)
    return trade
