"""The text of a loan event, as contracted: all values are strings. Pure."""

import uuid
from decimal import Decimal
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

from coruscant import ids, money
from coruscant.money import decimal_string
from loans import risk
from loans.representation import ltv_string
from loans.risk import Thresholds


class LoanThen(NamedTuple):
    """A loan as its transition leaves it; `terms` is a version, `last` the sequence of its last event, 0 if none."""

    pk: int
    loan_id: str
    borrower_id: str
    status: str
    amount: Decimal
    outstanding_balance: Decimal
    collateral: Decimal
    terms: int
    last: int


def id_and_body(
    namespace: uuid.UUID, event_type: str, loan: LoanThen, price: Decimal | None, thresholds: Thresholds, at: str
) -> tuple[uuid.UUID, str]:
    """The event's id, and the published text; units of collateral, GC, and GC a unit. One line of ASCII.

    The id is computed from all the rest of the text.
    `price` is the best price behind the transition, None if it was not known. The warning and liquidation prices are
    the highest at which the loan gets a margin call, or is claimed, as it stands. What is not known is empty.
    `at` is the instant as it is told: one text for all loans of a batch.
    """
    owed, units = loan.outstanding_balance, loan.collateral
    shown = price and money.round_down(price, money.DECIMAL_PLACES)
    warning, liquidation = (
        risk.price_at(owed, units, ltv) for ltv in (thresholds.margin_call_ltv, thresholds.liquidation_ltv)
    )
    # Only the two ids hold what a client chose. Written out, since a crash of prices writes thousands at once.
    said = (
        f'"eventType": "{event_type}", "sequence": "{loan.last + 1}",'
        f' "loanId": {quoted(loan.loan_id)}, "borrowerId": {quoted(loan.borrower_id)}, "status": "{loan.status}",'
        f' "amount": "{decimal_string(loan.amount)}", "outstandingBalance": "{decimal_string(owed)}",'
        f' "collateral": "{decimal_string(units)}", "ltv": "{ltv_string(owed, units, price) or ""}",'
        f' "price": "{_figure(shown)}", "warningPrice": "{_figure(warning)}",'
        f' "liquidationPrice": "{_figure(liquidation)}", "at": "{at}"'
    )
    event_id = ids.loan_event_id(namespace, said)
    return event_id, f'{{"eventId": "{event_id}", {said}}}'


def _figure(value: Decimal | None) -> str:
    return "" if value is None else decimal_string(value)
