"""Which controls hold. Who decides by one reads it in the transaction that writes, under the lock named in `pull`.

When prices are set aside is read with them, by `pricing.reading`.
"""

from datetime import datetime

from django.db import connection
from django.db.models import Max, Q, QuerySet

from coruscant.controls.models import Control, ControlKind

_WITHOUT_NEW_ORDERS = """
    SELECT market FROM controls_control WHERE kind = 'no_new_orders' AND began_at <= %(now)s AND until > %(now)s
"""


def now(instant: datetime) -> QuerySet[Control]:
    """What holds at the present instant."""
    return Control.objects.filter(until__gt=instant)


def pause_of_claims(applies_before: datetime, instant: datetime) -> Control | None:
    """The pause because of which a price that ended at `applies_before` claims nobody at the present instant, if any.

    One that holds, or one that the price did not outlast: a dip before or in a pause claims nobody after it either,
    however late it is evaluated. The caller holds the evaluation's lock.
    """
    return _pause(ControlKind.PAUSE_CLAIMS, applies_before, instant).order_by("until").first()


def claims_resumed_at(instant: datetime) -> datetime | None:
    """When the last pause of claims ended that is over at the present instant; None if there was none."""
    ended = Control.objects.filter(kind=ControlKind.PAUSE_CLAIMS, until__lte=instant)
    return ended.aggregate(last=Max("until"))["last"]  # type: ignore[no-any-return]


def activations_pause(applies_before: datetime, instant: datetime) -> bool:
    """Whether a price that ended at `applies_before` activates nobody at the present instant.

    The caller holds the evaluation's lock, or shares the activation barrier since before it read the price.
    """
    return _pause(ControlKind.PAUSE_ACTIVATIONS, applies_before, instant).exists()


def markets_without_new_orders(instant: datetime) -> frozenset[str]:
    """The markets that get no new orders at the present instant. An order that was sized before stays, and is sent."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT_NEW_ORDERS, {"now": instant})
        return frozenset(market for (market,) in cursor.fetchall())


def _pause(kind: ControlKind, applies_before: datetime, instant: datetime) -> QuerySet[Control]:
    return Control.objects.filter(Q(until__gte=applies_before) | Q(until__gt=instant), kind=kind)
