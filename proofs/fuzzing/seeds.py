"""What the markets document, as the beginning of every fuzz: good bodies, and the words they are made of."""

import json
from typing import Any

from pricing.markets import Market
from proofs.fuzzing.venue_answers import REQUEST_ID

MOS_ESPA_EVENT: dict[str, Any] = {
    "eventId": "e-1",
    "asset": "BESKAR",
    "currency": "GC",
    "timestamp": "0004-05-06T07:08:09.5+01:00",
    "levels": [
        {"quantity": quantity, "buy": f"5{index}.5", "sell": f"{50 - index}.25"}
        for index, quantity in enumerate((1, 10, 50, 100))
    ],
}
BLACK_SPIRE_EVENT: dict[str, Any] = {
    "item": "STEEL:MANDALORIAN",
    "time": 1794571200.25,
    "buy": [{"amount": quantity, "price": 50.5 + quantity} for quantity in (1, 10, 50, 100)],
    "sell": [{"amount": quantity, "price": 50 - quantity / 10} for quantity in (1, 10, 50, 100)],
}
EVENTS: dict[Market, dict[str, Any]] = {
    Market.MOS_ESPA: MOS_ESPA_EVENT,
    Market.BLACK_SPIRE_OUTPOST: BLACK_SPIRE_EVENT,
}
DOUBTS = (
    "order status unknown",
    "order already exists",
    "a request with this id is in progress",
    "upstream timeout",
    "execution pending",
    "accepted",
    "",
    " ",
)
ANSWERS: dict[Market, list[dict[str, Any]]] = {
    Market.MOS_ESPA: [
        {
            "orderId": "ME-1",
            "success": True,
            "type": "market",
            "side": "sell",
            "asset": "BESKAR",
            "currency": "GC",
            "quantity": "12.5",
            "price": "612.75",
            "requestId": REQUEST_ID,
        },
        {"success": False, "reason": "no buyers", "requestId": REQUEST_ID},
        {"success": False, "reason": "duplicate request"},
    ],
    Market.BLACK_SPIRE_OUTPOST: [
        {
            "requestId": REQUEST_ID,
            "id": "BS-1",
            "side": "SELL",
            "item": "STEEL:MANDALORIAN",
            "amount": 12.5,
            "totalPrice": 612.75,
        },
        {"error": "closed", "requestId": REQUEST_ID},
        {"error": "already executed"},
    ],
}
#: What markets answer beside: each of these is a kind of answer that was once taken for another.
LIES: dict[Market, list[dict[str, Any]]] = {
    market: [
        *({**success, name: value} for name in ("error", "reason") for value in ("", None, False, " ")),
        {**success, "status": "FILLED", "fees": [{"amount": 0.01}], "note": None},
        {**success, units: zero, total: zero},
        {**success, units: zero},
        {**success, total: zero},
        *({**refusal, key: success[key]} for key in (order_id, units, total)),
        {**success, **refusal},
        {**refusal, "executions": [{"units": 12.5}]},
        {**refusal, "requestId": None, order_id: "", units: False},
        *({**refusal, words: said} for said in DOUBTS),
    ]
    for market, (order_id, units, total, zero, words) in {
        Market.MOS_ESPA: ("orderId", "quantity", "price", "0", "reason"),
        Market.BLACK_SPIRE_OUTPOST: ("id", "amount", "totalPrice", 0, "error"),
    }.items()
    for success, refusal in [ANSWERS[market][:2]]
}


def envelope(body: str) -> dict[str, Any]:
    """A body as SNS wraps it when delivery is not raw."""
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:prices",
        "Message": body,
        "Timestamp": "2026-11-24T12:00:00.000Z",
        "SignatureVersion": "1",
    }


def words() -> set[str]:
    """Keys and values of all of them, and what JSON is worst at: a dictionary for a mutator."""
    found = {"NaN", "-Infinity", "1e999999", "1e-9999", "\\ud800", "\\u0000", "null", "true", "[[[[", '{"', "-0", "0.1"}
    for example in (
        *EVENTS.values(),
        *(answer for known in (ANSWERS, LIES) for answers in known.values() for answer in answers),
        envelope(""),
    ):
        for key, value in example.items():
            found |= {json.dumps(key), f"{json.dumps(key)}:", json.dumps(value)[:100]}
    return found
