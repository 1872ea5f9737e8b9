"""Black Spire Outpost, Batuu: `POST /market/orders`; figures travel as numbers, the item has a name of its own."""

import json
from decimal import Decimal

from coruscant.money import decimal_string
from liquidation.venues.answers import decimal_from_number, is_success, json_object, refusal, traded
from liquidation.venues.http import Response
from liquidation.verdicts import Answer, Unclear

PATH = "/market/orders"

_ORDER = {"side": "SELL", "item": "STEEL:MANDALORIAN"}


def payload(request_id: str, quantity: Decimal) -> str:
    """The body of an order to sell `quantity` units; the same bytes for the same arguments. Its amount is exact."""
    fixed = json.dumps({"requestId": request_id, **_ORDER})
    return f'{fixed[:-1]}, "amount": {decimal_string(quantity)}}}'


def read(response: Response, *, request_id: str) -> Answer:
    """What the answer says about the order. Never raises."""
    found = json_object(response)
    if isinstance(found, Unclear):
        return found
    if "error" in found:
        if "totalPrice" in found:
            return Unclear("unreadable", "a success and a refusal at once")
        return refusal(found["error"], found.get("requestId"), request_id=request_id, status=response.status)
    if "totalPrice" not in found or not is_success(response.status):
        return Unclear(f"status {response.status}", "neither a success nor a refusal")
    return traded(
        found,
        {"requestId": request_id, **_ORDER},
        order_id="id",
        units="amount",
        proceeds="totalPrice",
        figure=decimal_from_number,
    )
