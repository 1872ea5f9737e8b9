"""The ids that others see: requestIds of orders and eventIds. Pure.

An id is computed from what it stands for, so after a restore the bank can tell which loan a trade in a market's
statement belongs to, and no eventId ever stands for two events. The namespace is the installation's own: two
installations never share an id.
"""

import json
import uuid


def order_id(namespace: uuid.UUID, *, application: str, loan_id: str, market: str, number: int) -> str:
    """The requestId of a loan's `number`th order at a market, counted from 1; `application` is the loan's requestId."""
    return str(_id(namespace, "order", application, loan_id, market, number))


def liquidation_event_id(namespace: uuid.UUID, *, application: str, loan_id: str) -> uuid.UUID:
    """The eventId of a loan's liquidation: one for ever, also if a restore forgets it and it is settled again."""
    return _id(namespace, "event", application, loan_id, "liquidation", 1)


def loan_event_id(namespace: uuid.UUID, said: str) -> uuid.UUID:
    """The eventId of a loan event that says this: all of its text but the id.

    What a restore has forgotten may have been heard, and what is written anew says something else, if only another
    instant. So it has another id, whether anybody knows of the restore yet or not.
    """
    return _id(namespace, "loan event", said)


def _id(namespace: uuid.UUID, *parts: str | int) -> uuid.UUID:
    return uuid.uuid5(namespace, json.dumps(parts))
