"""Mos Espa, Tatooine: `POST /orders`; figures travel as strings, `price` is the total."""

import json
from decimal import Decimal

from coruscant.money import decimal_string
from liquidation.venues.answers import decimal_from_string, is_success, json_object, refusal, traded
from liquidation.venues.http import Response
from liquidation.verdicts import Answer, Unclear

PATH = "/orders"

_ORDER = {"type": "market", "side": "sell", "asset": "BESKAR", "currency": "GC"}


def payload(request_id: str, quantity: Decimal) -> str:
    """The body of an order to sell `quantity` units; the same bytes for the same arguments."""
    return json.dumps({"requestId": request_id, **_ORDER, "quantity": decimal_string(quantity)})


def read(response: Response, *, request_id: str) -> Answer:
    """What the answer says about the order. Never raises."""
    found = json_object(response)
    if isinstance(found, Unclear):
        return found
    if found.get("success") is False:
        return refusal(found.get("reason"), found.get("requestId"), request_id=request_id, status=response.status)
    if found.get("success") is not True or not is_success(response.status):
        return Unclear(f"status {response.status}", "neither a success nor a refusal")
    return traded(
        found,
        {"requestId": request_id, **_ORDER},
        order_id="orderId",
        units="quantity",
        proceeds="price",
        figure=decimal_from_string,
    )
