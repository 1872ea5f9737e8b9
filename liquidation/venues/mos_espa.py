"""Mos Espa, Tatooine: `POST /orders`; figures travel as strings, `price` is the total."""

import json
from decimal import Decimal

from coruscant.money import decimal_string
from liquidation.venues.answers import decimal_from_string, is_success, json_object, refusal, says, traded
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
    sent = {"requestId": request_id, **_ORDER}
    success, refuses = found.pop("success", None), says(found.get("reason"))
    if success is True and not refuses and is_success(response.status):
        return traded(found, sent, order_id="orderId", units="quantity", proceeds="price", figure=decimal_from_string)
    if success is False and refuses:
        return refusal(found, sent, reason="reason", status=response.status)
    return Unclear(f"status {response.status}", "neither a success nor a refusal, or both")
