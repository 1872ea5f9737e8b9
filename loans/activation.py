"""Activation: a new loan whose collateral is complete becomes active, by a posting or by a price."""

from datetime import datetime
from typing import Final

from django.db import connection

from coruscant import clock, locks
from coruscant.any_of import AnyOf
from coruscant.controls import in_force
from coruscant.restores import identity
from loans import candidates, risk
from loans.batches import LockedLoan, change_batches
from loans.events.models import LoanEventType
from loans.events.write import write_events
from loans.models import Loan, LoanStatus
from pricing.quotes import PricePoint

#: What an activation changes on a loan's row.
FIELDS: Final = ("status", "activated_at", "activation_price", "prices_apply_from")


def activate_if_covered(loan: Loan, point: PricePoint, now: datetime) -> bool:
    """Make a new loan active if its collateral is complete at `point`; returns whether it is now. The caller saves it,
    and writes its event then.

    The caller has locked the row, and has held the activation barrier since before it read the price.
    """
    if point.price is None or not _is_covered(loan, point) or not identity.accepted():
        return False
    if in_force.activations_pause(point.applies_before, now):
        return False
    loan.status = LoanStatus.ACTIVE
    loan.activated_at = now
    loan.activation_price = point.price
    loan.prices_apply_from = _prices_apply_from(point)
    return True


def activate_loans(point: PricePoint, limit: int = 500) -> int:
    """Activate up to `limit` new loans whose collateral is complete at `point`; returns how many.

    One transaction. A point without a price changes nothing, nor one that a pause withholds. Locks: the loans, in id
    order.
    """
    if in_force.activations_pause(point.applies_before, clock.now()):
        return 0

    def activate(loans: list[LockedLoan]) -> int:
        covered = [loan.pk for loan in loans if _is_covered(loan, point)]
        if not covered or not identity.accepted():
            return 0
        now = clock.now()
        activated = Loan.objects.filter(AnyOf("pk", covered)).update(
            status=LoanStatus.ACTIVE,
            activated_at=now,
            activation_price=point.price,
            prices_apply_from=_prices_apply_from(point),
        )
        write_events(LoanEventType.ACTIVATION, covered, point.price, now)
        return activated

    return next(change_batches("activation", point, candidates.new, activate, limit), 0)


def hold() -> None:
    """Hold the activation barrier, a shared advisory lock, to the end of this transaction.

    Whoever may activate a loan takes it after the loan's row and before reading the price, and after it waits for no
    lock but the requestId, whose holder waits for nothing. So an evaluation in `wait_until_settled` is never part of a
    deadlock.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("the activation barrier is held to the end of a transaction, and none is open")
    locks.share(locks.ACTIVATION)


def wait_until_settled() -> None:
    """Return when every posting that may have read an older price has committed or given up.

    An evaluation calls it after it has read which quotes are unevaluated and before it searches for loans: later
    postings read a price that includes those quotes. Call it outside any transaction, which would keep the lock.
    """
    locks.wait_for_sharers(locks.ACTIVATION)


def _is_covered(loan: Loan | LockedLoan, point: PricePoint) -> bool:
    return loan.status == LoanStatus.NEW and risk.may_activate(
        loan.outstanding_balance, loan.collateral, point.known_price, loan.terms.thresholds
    )


def _prices_apply_from(point: PricePoint) -> datetime:
    """Not where the price began: prices that ended before the loan was active do not apply to it."""
    return point.until or point.at
