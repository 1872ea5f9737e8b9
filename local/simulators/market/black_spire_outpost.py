"""The wire format of Black Spire Outpost, Batuu: figures are JSON numbers, many items on one topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from local.simulators.market.makers import Makers
from local.simulators.market.order_book import Levels
from local.simulators.market.wire import BadOrderError, Order, Trade, check_units, read_fields

BESKAR = "STEEL:MANDALORIAN"
OTHER_ITEM = "STEEL:DURASTEEL"
_MAKERS = Makers(half_spread=Decimal("0.003"), slope=Decimal("0.012"))
_FIXED = {"side": "SELL", "item": BESKAR}


def _entries(prices: Mapping[int, Decimal]) -> list[dict[str, Any]]:
    return [{"amount": depth, "price": price} for depth, price in prices.items()]


def _event(item: str, levels: Levels, at: datetime) -> dict[str, Any]:
    seconds = Decimal(int(at.timestamp() * 1000)) / 1000
    return {"item": item, "time": seconds, "buy": _entries(levels.buy), "sell": _entries(levels.sell)}


@dataclass(frozen=True, slots=True)
class BlackSpireOutpost:
    """A wider spread for small orders, and more depth for large ones."""

    name: str = "black_spire_outpost"
    topic: str = "batuu-black-spire-outpost-price-stream"
    order_path: str = "/market/orders"
    makers: Makers = _MAKERS
    order_id_field: str = "id"
    units_field: str = "amount"
    proceeds_field: str = "totalPrice"

    def read_order(self, raw: bytes) -> Order:
        """Read `POST /market/orders`, whose amount is a JSON number; raises BadOrderError."""
        request_id, amount = read_fields(raw, _FIXED, "amount")
        if not isinstance(amount, Decimal):
            raise BadOrderError("amount must be a number", request_id)
        return Order(request_id, check_units(amount, "amount", request_id))

    def receipt(self, trade: Trade) -> dict[str, Any]:
        """Return the answer to an order that was traded."""
        return {
            "requestId": trade.request_id,
            "id": trade.order_id,
            **_FIXED,
            "amount": trade.units,
            "totalPrice": trade.proceeds,
        }

    def refusal(self, reason: str, request_id: str | None) -> dict[str, Any]:
        """Return the answer to an order that is refused."""
        known = {} if request_id is None else {"requestId": request_id}
        return {"error": reason, **known}

    def price_event(self, levels: Levels, at: datetime, event_id: str) -> dict[str, Any]:
        """Return a price event for Beskar; this market's events have no id, so the given one is not used."""
        return _event(BESKAR, levels, at)

    def other_event(self, levels: Levels, at: datetime) -> dict[str, Any] | None:
        """Return a price event for another steel, at a tenth of Beskar's price."""
        tenth = Levels(
            sell={depth: price / 10 for depth, price in levels.sell.items()},
            buy={depth: price / 10 for depth, price in levels.buy.items()},
        )
        return _event(OTHER_ITEM, tenth, at)
