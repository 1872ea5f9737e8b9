"""The wire format of Mos Espa, Tatooine: figures are strings, a price is a total."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from local.simulators.exact import is_plain_decimal, plain
from local.simulators.market.makers import Makers
from local.simulators.market.order_book import Levels
from local.simulators.market.wire import BadOrderError, Order, Trade, check_units, read_fields

YEARS_BEFORE_YAVIN = 1992
"""Tatooine counts years from the Battle of Yavin. A multiple of 4, so that leap days exist there too."""

_MAKERS = Makers(half_spread=Decimal("0.0005"), slope=Decimal("0.02"))
_FIXED = {"type": "market", "side": "sell", "asset": "BESKAR", "currency": "GC"}


def tatooine_time(at: datetime) -> str:
    """Write an instant (UTC) as Tatooine's RFC 3339 timestamp, whose years print like `0034`."""
    local = at.replace(year=at.year - YEARS_BEFORE_YAVIN, tzinfo=None)
    return local.isoformat(timespec="milliseconds") + "Z"


@dataclass(frozen=True, slots=True)
class MosEspa:
    """A narrow spread for small orders, and little depth for large ones."""

    name: str = "mos_espa"
    topic: str = "tatooine-mos-espa-prices"
    order_path: str = "/orders"
    makers: Makers = _MAKERS
    order_id_field: str = "orderId"
    units_field: str = "quantity"
    proceeds_field: str = "price"

    def read_order(self, raw: bytes) -> Order:
        """Read `POST /orders`, whose quantity is a plain decimal string; raises BadOrderError."""
        request_id, quantity = read_fields(raw, _FIXED, "quantity")
        if not is_plain_decimal(quantity):
            raise BadOrderError("quantity must be a plain decimal string", request_id)
        return Order(request_id, check_units(Decimal(quantity), "quantity", request_id))

    def receipt(self, trade: Trade) -> dict[str, Any]:
        """Return the answer to an order that was traded; `price` is the total in GC."""
        return {
            "orderId": trade.order_id,
            "success": True,
            **_FIXED,
            "quantity": plain(trade.units),
            "price": plain(trade.proceeds),
            "requestId": trade.request_id,
        }

    def refusal(self, reason: str, request_id: str | None) -> dict[str, Any]:
        """Return the answer to an order that is refused."""
        known = {} if request_id is None else {"requestId": request_id}
        return {"success": False, "reason": reason, **known}

    def price_event(self, levels: Levels, at: datetime, event_id: str) -> dict[str, Any]:
        """Return a price event with the quantities that both sides can fill."""
        return {
            "eventId": event_id,
            "asset": "BESKAR",
            "currency": "GC",
            "timestamp": tatooine_time(at),
            "levels": [
                {"quantity": depth, "buy": plain(levels.buy[depth]), "sell": plain(price)}
                for depth, price in levels.sell.items()
                if depth in levels.buy
            ],
        }

    def other_event(self, levels: Levels, at: datetime) -> dict[str, Any] | None:
        """Return None: the topic carries Beskar only."""
        return None
