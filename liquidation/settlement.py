"""Settlement: the figures are fixed, the loan is closed and the event is written, all in the caller's transaction."""

import json
import uuid
from datetime import datetime

import structlog
from django.conf import settings

from coruscant import ids, rows
from coruscant.money import ZERO, decimal_string, exact
from coruscant.rows import Write
from liquidation.models import PENDING_ORDER_STATUSES, Liquidation, LiquidationEvent, LiquidationStatus
from loans import sales
from loans.models import Loan

log = structlog.get_logger(__name__)

#: What every fill changes on a liquidation's row.
SALE_FIGURES = ("collateral_sold", "proceeds")
_SETTLEMENT = ("surplus", "shortfall", "collateral_left", "status", "settled_at", "leased_until")


def settle_if_done(loan: Loan, liquidation: Liquidation, now: datetime) -> bool:
    """Settle a liquidation that is covered, or has less than one step of collateral left; returns whether it did.

    Locks are the caller's: loan, then liquidation. An order without a verdict keeps it open.
    """
    if not sales.is_done(loan, settings.ORDER_QUANTITY_STEP):
        return False
    if liquidation.orders.filter(status__in=PENDING_ORDER_STATUSES).exists():
        return False
    sales.finish_liquidation(loan)
    rows.write(*settle(loan, liquidation, now))
    return True


def settle(loan: Loan, liquidation: Liquidation, now: datetime) -> tuple[Write, Write]:
    """Fix the figures of a liquidation whose loan is liquidated by now, and make its event.

    Returns both, for the caller to write in its transaction. Locks are the caller's: loan, then liquidation.
    """
    with exact():
        liquidation.surplus = max(ZERO, liquidation.proceeds - liquidation.balance_at_claim)
    liquidation.shortfall = loan.outstanding_balance
    liquidation.collateral_left = loan.collateral
    liquidation.status, liquidation.settled_at, liquidation.leased_until = LiquidationStatus.SETTLED, now, None
    event_id = ids.liquidation_event_id(
        settings.INSTALLATION_NAMESPACE, application=loan.request_id, loan_id=loan.loan_id
    )
    event = LiquidationEvent(
        liquidation=liquidation,
        event_id=event_id,
        body=_event_body(event_id, loan, liquidation),
        created_at=now,
        due_at=now,
    )
    log.info(
        "liquidation_settled",
        liquidation_id=liquidation.pk,
        loan_id=loan.loan_id,
        event_id=str(event_id),
        sold=decimal_string(liquidation.collateral_sold),
        proceeds=decimal_string(liquidation.proceeds),
        shortfall=decimal_string(loan.outstanding_balance),
    )
    return (liquidation, (*SALE_FIGURES, *_SETTLEMENT)), (event, None)


def _event_body(event_id: uuid.UUID, loan: Loan, liquidation: Liquidation) -> str:
    """The published text, exactly as contracted: seven keys, all strings; units of collateral, and GC."""
    return json.dumps(
        {
            "eventId": str(event_id),
            "eventType": "liquidation",
            "loanId": loan.loan_id,
            "collateralSold": decimal_string(liquidation.collateral_sold),
            "collateralSoldValue": decimal_string(liquidation.proceeds),
            "outstandingCollateral": decimal_string(loan.collateral),
            "outstandingBalance": decimal_string(loan.outstanding_balance),
        }
    )
