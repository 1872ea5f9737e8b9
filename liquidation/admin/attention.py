"""Which liquidations need a person's attention, and why: one query, whatever their number."""

from typing import Any

from django.conf import settings
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from liquidation.models import Liquidation, LiquidationStatus, OrderStatus, TradeOrder

#: So many refusals in a row since the last fill need attention.
REFUSALS_BEFORE_ATTENTION = 10


def annotate(rows: QuerySet[Liquidation]) -> QuerySet[Liquidation]:
    """Add `unknown_sends` (of an order without a verdict) and `refusals_in_row` (since the last fill), or 0."""
    orders = TradeOrder.objects.filter(liquidation=OuterRef("pk"))
    last_fill = orders.filter(status=OrderStatus.FILLED).order_by("-sequence").values("sequence")[:1]
    unknown = orders.filter(status__in=(OrderStatus.OPEN, OrderStatus.UNKNOWN)).order_by().values("sends")[:1]
    refused = (
        orders.filter(status=OrderStatus.REFUSED, sequence__gt=OuterRef("last_fill"))
        .order_by()
        .values("liquidation")
        .annotate(run=Count("pk"))
        .values("run")
    )
    return rows.annotate(last_fill=_or_zero(last_fill)).annotate(
        unknown_sends=_or_zero(unknown), refusals_in_row=_or_zero(refused)
    )


def waiting(rows: QuerySet[Liquidation]) -> QuerySet[Liquidation]:
    """The rows that need attention."""
    return annotate(rows.exclude(status=LiquidationStatus.SETTLED)).filter(
        Q(status=LiquidationStatus.WAITING)
        | Q(unknown_sends__gte=settings.ORDER_SENDS_BEFORE_ATTENTION)
        | Q(refusals_in_row__gte=REFUSALS_BEFORE_ATTENTION)
    )


def reason(row: Any) -> str:
    """Why an annotated row needs attention; empty when it does not."""
    if row.status == LiquidationStatus.SETTLED:
        return ""
    if row.status == LiquidationStatus.WAITING:
        return "order unresolved"
    if getattr(row, "unknown_sends", 0) >= settings.ORDER_SENDS_BEFORE_ATTENTION:
        return f"order unknown after {row.unknown_sends} sends"
    if getattr(row, "refusals_in_row", 0) >= REFUSALS_BEFORE_ATTENTION:
        return f"{row.refusals_in_row} refusals in a row"
    return ""


def _or_zero(query: Any) -> Coalesce:
    return Coalesce(Subquery(query), Value(0), output_field=IntegerField())
