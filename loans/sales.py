"""What a liquidation does to its loan: it begins, sells collateral, and ends.

The caller has locked the loans' rows, in its transaction and cause.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection

from coruscant import money
from coruscant.any_of import AnyOf
from coruscant.money import ZERO
from loans import margin_calls, margin_notices
from loans.events.models import LoanEventType
from loans.events.write import write_events
from loans.models import Loan, LoanStatus

#: What a booked sale changes on a loan's row.
BOOKED = ("collateral", "outstanding_balance", "status")


class IllegalTransition(RuntimeError):
    """A caller asked for a step that the loan's present state does not allow: a programming error."""


def begin_liquidation(loan_ids: Sequence[int], now: datetime, price: Decimal) -> None:
    """Move active loans (primary keys) to `liquidating` at a price, and close their open margin calls as claimed.

    Raises IllegalTransition if one of the loans is not active.
    """
    _require_transaction()
    keys = set(loan_ids)
    changed = Loan.objects.filter(AnyOf("pk", keys), status=LoanStatus.ACTIVE).update(status=LoanStatus.LIQUIDATING)
    if changed != len(keys):
        raise IllegalTransition(f"{len(keys) - changed} of {len(keys)} loans to be liquidated are not active")
    margin_calls.close_for_claim(list(keys), now)
    margin_notices.end(list(keys), now)
    write_events(LoanEventType.LIQUIDATION_STARTED, list(keys), price, now)


def book_sale(
    loan: Loan, units: Decimal, proceeds: Decimal, *, smallest_sale: Decimal, may_finish: bool = True
) -> bool:
    """Lower a liquidating loan's collateral by the `units` sold and its balance by the `proceeds` in GC, not below 0.

    If that covers the balance, or leaves less than `smallest_sale` units, the loan becomes `liquidated` as well, unless
    it may not. Returns whether it did. The caller writes the fields BOOKED, in the statement that writes the sale's
    other rows. Raises IllegalTransition if the loan is not being liquidated, if there are not that many units, or if a
    figure is negative.
    """
    _require_liquidating(loan)
    if not 0 <= units <= loan.collateral or proceeds < 0:
        raise IllegalTransition(f"cannot book {units} units for {proceeds} GC on loan {loan.loan_id}")
    with money.exact():
        loan.collateral -= units
        loan.outstanding_balance = max(ZERO, loan.outstanding_balance - proceeds)
    done = may_finish and is_done(loan, smallest_sale)
    if done:
        loan.status = LoanStatus.LIQUIDATED
    return done


def is_done(loan: Loan, smallest_sale: Decimal) -> bool:
    """Whether nothing is owed any more, or less than `smallest_sale` units are left to sell."""
    return loan.outstanding_balance == 0 or loan.collateral < smallest_sale


def finish_liquidation(loan: Loan) -> None:
    """Move a liquidating loan to `liquidated`. Raises IllegalTransition if it is not being liquidated."""
    _require_liquidating(loan)
    loan.status = LoanStatus.LIQUIDATED
    loan.save(update_fields=["status"])


def _require_liquidating(loan: Loan) -> None:
    _require_transaction()
    if loan.status != LoanStatus.LIQUIDATING:
        raise IllegalTransition(f"loan {loan.loan_id} is {loan.status}, not liquidating")


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise IllegalTransition("must be called inside a transaction")
