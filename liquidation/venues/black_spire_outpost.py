"""Black Spire Outpost, Batuu: `POST /market/orders`; figures travel as numbers, the item has a name of its own."""

import json
from decimal import Decimal

from coruscant.money import decimal_string
from liquidation.venues.answers import decimal_from_number, is_success, json_object, refusal, says, traded
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
    sent = {"requestId": request_id, **_ORDER}
    if says(found.get("error")):
        return refusal(found, sent, reason="error", status=response.status)
    if not says(found.get("totalPrice")) or not is_success(response.status):
        return Unclear(f"status {response.status}", "neither a success nor a refusal")
    return traded(found, sent, order_id="id", units="amount", proceeds="totalPrice", figure=decimal_from_number)
