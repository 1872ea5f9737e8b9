"""What is being sold now."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Min, Sum

from coruscant import money
from liquidation.models import (
    PENDING_ORDER_STATUSES,
    UNSETTLED_STATUSES,
    Liquidation,
    LiquidationStatus,
    OrderStatus,
    TradeOrder,
)

#: So many sales are listed, the newest first.
LISTED = 8


@dataclass(frozen=True, slots=True)
class Sales:
    """All sales that are not settled: how many, since when, what was owed at their claims and is covered (GC)."""

    number: int
    oldest: datetime | None
    owed: Decimal
    covered: Decimal

    @property
    def share_covered(self) -> Decimal | None:
        """The share of the debt that is covered, as a ratio."""
        with money.exact():
            return self.covered / self.owed if self.owed else None


@dataclass(frozen=True, slots=True)
class Sale:
    """One of them, with what its newest order waits for, in words; `kind` colours them."""

    liquidation: Liquidation
    orders: int
    state: str
    kind: str

    @property
    def loan_id(self) -> str:
        """The loan that is sold."""
        return self.liquidation.loan.loan_id

    @property
    def covered(self) -> Decimal:
        """GC, at most what was owed."""
        return min(self.liquidation.proceeds, self.liquidation.balance_at_claim)


def totals() -> Sales:
    """The sums over all sales that are not settled, from their index."""
    found = Liquidation.objects.filter(status__in=UNSETTLED_STATUSES).aggregate(
        number=Count("pk"), oldest=Min("claimed_at"), owed=Sum("balance_at_claim"), covered=Sum("proceeds")
    )
    return Sales(found["number"], found["oldest"], found["owed"] or money.ZERO, found["covered"] or money.ZERO)


def newest() -> list[Sale]:
    """Sales that wait for a person, then the newest of the others: at most LISTED."""
    rows = Liquidation.objects.select_related("loan").defer("evidence").order_by("-id")
    waiting = list(rows.filter(status=LiquidationStatus.WAITING)[:LISTED])
    listed = [*waiting, *rows.filter(status=LiquidationStatus.SELLING)[: LISTED - len(waiting)]]
    orders = TradeOrder.objects.filter(liquidation__in=listed)
    numbers = dict(orders.order_by().values_list("liquidation").annotate(Count("pk")))
    pending = {order.liquidation_id: order for order in orders.filter(status__in=PENDING_ORDER_STATUSES)}
    return [Sale(sale, numbers.get(sale.pk, 0), *_state(sale, pending.get(sale.pk))) for sale in listed]


def _state(sale: Liquidation, order: TradeOrder | None) -> tuple[str, str]:
    """What a sale waits for, in words, and their colour."""
    if sale.status == LiquidationStatus.WAITING:
        return "needs a person", "danger"
    if order is not None and order.status == OrderStatus.UNKNOWN:
        return f"unknown, send {order.sends}", "warning"
    return ("held by a restore", "warning") if sale.held_by_id else ("selling", "info")
