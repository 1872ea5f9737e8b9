"""The last send of an order, remembered outside the database: if the books lack it, they went back in time.

A copy of the data directory that is put back, or a dump that is loaded over the tables, looks like the same database.
This shows it, as long as Redis was not emptied meanwhile. Only ever a reason to hold, never one to go on.
"""

import json
from datetime import datetime
from functools import partial

from django.core.cache import cache

from coruscant.restores import identity
from liquidation.models import TradeOrder
from pricing.snapshot import if_up

#: Longer than any outage that ends with a restore.
_KEPT_SECONDS = 30 * 24 * 3600


def remember(order_id: int, request_id: str, send: int, counted_at: datetime) -> None:
    """Remember a send that is committed, before it leaves. Call it outside any transaction; Redis may be down."""
    text = json.dumps([order_id, request_id, send, counted_at.isoformat()])
    if_up(partial(cache.set, _key(), text, timeout=_KEPT_SECONDS))


def missing() -> str:
    """Which send the books have lost, in one sentence; empty if they have it, or none is remembered.

    A send from before the books were accepted says nothing against them: whoever accepted them knew that they may lack
    it. Only what was never used was accepted by nobody.
    """
    text = if_up(partial(cache.get, _key()))
    if not isinstance(text, str):
        return ""
    order_id, request_id, send, counted_at = json.loads(text)
    accepted = identity.last_accepted()
    by_somebody = accepted is not None and accepted.accepted_by != identity.FIRST_USE
    if accepted and by_somebody and datetime.fromisoformat(counted_at) < accepted.accepted_at:
        return ""
    if TradeOrder.objects.filter(pk=order_id, request_id=request_id, sends__gte=send).exists():
        return ""
    return f"send {send} of order {request_id} was committed, and is not in the database."


def _key() -> str:
    """One for each database: another cluster, and a database made anew, are noticed by their identity."""
    found = identity.known()
    return f"liquidation.last_counted_send.{found.system_identifier}.{found.database}"
