"""Once statements of all markets cover the gap of a restore, and nothing differs, its sales and events go on."""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from coruscant import clock, history, locks
from coruscant.restores import holds
from coruscant.restores.models import Restore
from liquidation.models import Liquidation, LiquidationStatus, OrderAnswer, OrderStatus, TradeOrder
from liquidation.reconciliation import periods
from liquidation.reconciliation.models import DifferenceStatus, ReconciliationDifference, StatementTrade
from liquidation.reconciliation.periods import Period
from liquidation.verdicts import AnswerKind
from pricing.markets import Market

log = structlog.get_logger(__name__)


def release_compared(by: str) -> bool:
    """Let the sales and events of a restore go on if statements show all that it may have forgotten; whether they did.

    An order that was pending at the restore and that the statements would show if it had traded is booked as not
    traded, unless it may have been sent since. Claims stay held until a person releases them. Refusals of a later order
    of these sales go on proving nothing: a lost send of its id may still arrive. Locks: reconciliations, evaluations,
    liquidations.
    """
    with transaction.atomic(), history.cause("release compared", correlation_id=by):
        locks.exclusive(locks.RECONCILIATION)
        locks.exclusive(locks.EVALUATION)  # or a claim under way would be held by a restore that is over
        restore = holds.uncompared()
        if restore is None or ReconciliationDifference.objects.filter(status=DifferenceStatus.OPEN).exists():
            return False
        gap = {market: _covering(restore, market) for market in Market}
        if not all(gap.values()):
            return False
        now = clock.now()
        held = Liquidation.objects.filter(held_by=restore)
        list(held.select_for_update().order_by("pk").values_list("pk"))
        for market, period in gap.items():
            if period:
                _book_not_traded(restore, market, period, now)
        held.filter(status=LiquidationStatus.SELLING).update(due_at=now)
        sales = held.update(held_by=None)
        restore.compared_at = now
        restore.save(update_fields=["compared_at"])
    log.warning("restore_compared", restore=restore.pk, sales_released=sales, actor=by)
    return True


def uncovered(restore: Restore) -> list[Market]:
    """The markets whose statements do not cover a restore yet."""
    return [market for market in Market if _covering(restore, market) is None]


def _covering(restore: Restore, market: Market) -> Period | None:
    """The time around a restore's gap that statements of a market cover without a gap, compared since; or None."""
    first, last = holds.statements_cover(restore)
    for start, end in periods.covered(market, compared_since=restore.begun_at):
        if start <= first and last <= end:
            return start, end
    return None


def _book_not_traded(restore: Restore, market: Market, period: Period, now: datetime) -> None:
    """Pending orders of held sales: nothing was sent since the restore began, and no statement shows a trade.

    Nor has the market called one a success: then its answer and its statement contradict each other, and it is asked.
    """
    shown = StatementTrade.objects.filter(market=market, request_id=OuterRef("request_id"))
    told = OrderAnswer.objects.filter(order=OuterRef("pk"), kind=AnswerKind.SUCCESS)
    orders = TradeOrder.objects.filter(
        ~Exists(shown),
        ~Exists(told),
        market=market,
        liquidation__held_by=restore,
        status__in=(OrderStatus.OPEN, OrderStatus.UNKNOWN),
        created_at__gte=period[0] + holds.CLOCKS_DIFFER,
    )
    for order in orders:
        order.status, order.answered_at = OrderStatus.REFUSED, now
        order.save(update_fields=["status", "answered_at"])
        log.warning("order_not_in_statement", order_request_id=order.request_id, market=market)
