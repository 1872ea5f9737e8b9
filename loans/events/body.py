"""The text of a loan event, as contracted: all values are strings. Pure."""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from coruscant import money
from coruscant.money import decimal_string
from loans import risk
from loans.representation import instant_string, ltv_string
from loans.risk import Thresholds


@dataclass(frozen=True, slots=True)
class LoanThen:
    """A loan as its transition leaves it; `last` is the sequence of its last event before, 0 if there is none."""

    pk: int
    loan_id: str
    borrower_id: str
    request_id: str
    status: str
    amount: Decimal
    outstanding_balance: Decimal
    collateral: Decimal
    last: int


def event_body(
    event_id: uuid.UUID, event_type: str, loan: LoanThen, price: Decimal | None, thresholds: Thresholds, at: datetime
) -> str:
    """The published text; units of collateral, GC, and GC a unit.

    `price` is the best price behind the transition, None if it was not known. The warning and liquidation prices are
    the highest at which the loan gets a margin call, or is claimed, as it stands. What is not known is empty.
    """
    owed, units = loan.outstanding_balance, loan.collateral
    return json.dumps(
        {
            "eventId": str(event_id),
            "eventType": event_type,
            "sequence": str(loan.last + 1),
            "loanId": loan.loan_id,
            "borrowerId": loan.borrower_id,
            "status": loan.status,
            "amount": decimal_string(loan.amount),
            "outstandingBalance": decimal_string(owed),
            "collateral": decimal_string(units),
            "ltv": ltv_string(owed, units, price) or "",
            "price": _figure(price and money.round_down(price, money.DECIMAL_PLACES)),
            "warningPrice": _figure(risk.price_at(owed, units, thresholds.margin_call_ltv)),
            "liquidationPrice": _figure(risk.price_at(owed, units, thresholds.liquidation_ltv)),
            "at": instant_string(at),
        }
    )


def _figure(value: Decimal | None) -> str:
    return "" if value is None else decimal_string(value)
