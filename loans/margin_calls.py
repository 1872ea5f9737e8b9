"""Margin calls: opened at a price, closed when LTV falls below the clearing LTV, or by a claim."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from coruscant import clock, money
from loans import candidates, risk
from loans.batches import change_next_batch
from loans.events.models import LoanEventType
from loans.events.write import write_events
from loans.models import Loan, LoanStatus, MarginCall
from pricing.quotes import PricePoint


def call_loans(point: PricePoint, limit: int = 500) -> int:
    """Open a margin call for up to `limit` active loans at or above the margin call LTV that have none open.

    A price that ended before a loan became active does not apply to it. A price that ended before the one that cleared
    a loan's last margin call opens no other, so a window may be evaluated again. Returns how many were opened; none
    while a jump of prices is pending. One transaction. Locks: the loans, in id order.
    """
    if not point.may_claim:
        return 0

    def call(loans: list[Loan]) -> int:
        price = point.known_price
        called = set(open_margin_calls(loans).values_list("loan_id", flat=True))
        due = [
            loan
            for loan in loans
            if loan.status == LoanStatus.ACTIVE
            and loan.pk not in called
            and risk.must_call(loan.outstanding_balance, loan.collateral, price, loan.terms.thresholds)
        ]
        if due:
            now, rounded = clock.now(), money.round_down(price, money.DECIMAL_PLACES)
            MarginCall.objects.bulk_create(
                MarginCall(
                    loan=loan,
                    terms=loan.terms,
                    price=rounded,
                    price_at=point.at,
                    opened_at=now,
                    outstanding_balance=loan.outstanding_balance,
                    collateral=loan.collateral,
                )
                for loan in due
            )
            write_events(LoanEventType.MARGIN_CALL, [loan.pk for loan in due], price, now)
        return len(due)

    return change_next_batch("margin_call", point, candidates.without_margin_call, call, limit)


def clear_margin_calls(point: PricePoint, limit: int = 500) -> int:
    """Close up to `limit` open margin calls of loans that are below the clearing LTV at `point`.

    Returns how many. One transaction. Locks: the loans, in id order.
    """

    def clear(loans: list[Loan]) -> int:
        called = set(open_margin_calls(loans).values_list("loan_id", flat=True))
        cleared = [loan for loan in loans if loan.pk in called and _may_clear(loan, point)]
        if cleared:
            _clear(cleared, point, clock.now())
        return len(cleared)

    return change_next_batch("margin_call_cleared", point, candidates.with_margin_call, clear, limit)


def close_if_cleared(loan: Loan, point: PricePoint, now: datetime) -> MarginCall | None:
    """Close a loan's open margin call if LTV is below the clearing LTV at `point`; return it if it stays open.

    The caller has locked the loan, and saved it, in its transaction and cause.
    """
    margin_call = open_margin_calls([loan]).first()
    if margin_call is None or point.price is None or not _may_clear(loan, point):
        return margin_call
    _clear([loan], point, now)
    return None


def close_for_claim(loan_ids: Sequence[int], now: datetime) -> None:
    """Close the open margin calls of loans (primary keys) that the caller has locked, in its transaction and cause."""
    open_margin_calls(loan_ids).update(closed_at=now, close_reason=MarginCall.CloseReason.CLAIMED)


def open_margin_calls(loans: Sequence[Loan] | Sequence[int]) -> "QuerySet[MarginCall]":
    """The open margin calls of these loans, or loans' primary keys."""
    return MarginCall.objects.filter(loan__in=loans, closed_at__isnull=True)


def _may_clear(loan: Loan, point: PricePoint) -> bool:
    return risk.may_clear(loan.outstanding_balance, loan.collateral, point.known_price, loan.terms.thresholds)


def _clear(loans: Sequence[Loan], point: PricePoint, now: datetime) -> None:
    """No price that ended before the one that clears these margin calls opens another."""
    open_margin_calls(loans).update(
        closed_at=now, close_reason=MarginCall.CloseReason.CLEARED, cleared_to=point.applies_before
    )
    write_events(LoanEventType.MARGIN_CALL_CLEARED, [loan.pk for loan in loans], point.price, now)
