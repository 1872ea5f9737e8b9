"""The ids that others see: requestIds of orders and eventIds. Pure.

An id is computed from what it stands for, so after a restore the bank can tell which loan a trade in a market's
statement belongs to. The namespace is the installation's own: two installations never share an id.
"""

import json
import uuid


def order_id(namespace: uuid.UUID, *, application: str, loan_id: str, market: str, number: int) -> str:
    """The requestId of a loan's `number`th order at a market, counted from 1; `application` is the loan's requestId."""
    return str(_id(namespace, "order", application, loan_id, market, number))


def event_id(
    namespace: uuid.UUID, *, application: str, loan_id: str, kind: str, number: int = 1, restore: int = 0
) -> uuid.UUID:
    """The eventId of a loan's event of a kind; `number` tells it from others of the same kind.

    `restore` is the last restore that the books went through, 0 if none. Where it counts, what the books have
    forgotten and what they write anew have different ids.
    """
    return _id(namespace, "event", application, loan_id, kind, number, *([restore] if restore else []))


def _id(namespace: uuid.UUID, *parts: str | int) -> uuid.UUID:
    return uuid.uuid5(namespace, json.dumps(parts))
