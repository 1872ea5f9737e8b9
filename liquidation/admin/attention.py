"""Which liquidations need a person's attention, and why: one query, whatever their number."""

from typing import Any

from django.conf import settings
from django.db.models import Case, CharField, Count, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from liquidation.models import Liquidation, LiquidationStatus, OrderStatus, TradeOrder

#: So many refusals in a row since the last fill need attention.
REFUSALS_BEFORE_ATTENTION = 10


def annotate(rows: QuerySet[Liquidation]) -> QuerySet[Any]:
    """Add `why_attention`: why a liquidation needs attention; empty when it does not."""
    orders = TradeOrder.objects.filter(liquidation=OuterRef("pk")).order_by()
    last_fill = orders.filter(status=OrderStatus.FILLED).order_by("-sequence").values("sequence")[:1]
    unknown = orders.filter(status__in=(OrderStatus.OPEN, OrderStatus.UNKNOWN)).values("sends")[:1]
    refused = orders.filter(status=OrderStatus.REFUSED, sequence__gt=OuterRef("last_fill"))
    run = refused.values("liquidation").annotate(run=Count("pk")).values("run")
    rows = rows.alias(last_fill=Coalesce(Subquery(last_fill), 0))
    rows = rows.alias(unknown_sends=Subquery(unknown), refusals_in_row=Subquery(run))
    unknown_for_long = Concat(Value("order unknown after "), Cast("unknown_sends", CharField()), Value(" sends"))
    refused_for_long = Concat(Cast("refusals_in_row", CharField()), Value(" refusals in a row"))
    return rows.annotate(
        why_attention=Case(
            When(status=LiquidationStatus.SETTLED, then=Value("")),
            When(status=LiquidationStatus.WAITING, then=Value("order unresolved")),
            When(unknown_sends__gte=settings.ORDER_SENDS_BEFORE_ATTENTION, then=unknown_for_long),
            When(refusals_in_row__gte=REFUSALS_BEFORE_ATTENTION, then=refused_for_long),
            default=Value(""),
        )
    )


def waiting(rows: QuerySet[Liquidation]) -> QuerySet[Any]:
    """The liquidations that need attention.

    After a crash of prices most sales have not begun: no worker has had their lease, so they have no orders to look at.
    """
    begun = Q(status=LiquidationStatus.SELLING, fence__gt=0)  # (by its index)
    return annotate(rows.filter(Q(status=LiquidationStatus.WAITING) | begun)).exclude(why_attention="")
