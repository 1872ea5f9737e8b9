"""Margin calls: opened at a price, closed when LTV falls below the clearing threshold, or by a claim."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from coruscant import clock, money
from loans import candidates, risk
from loans.batches import change_next_batch
from loans.models import Loan, LoanStatus, MarginCall
from loans.thresholds import thresholds
from pricing.quotes import PricePoint


def call_loans(point: PricePoint, limit: int = 500) -> int:
    """Open a margin call for up to `limit` active loans at or above the margin call LTV that have none open.

    A price that ended before a loan became active does not apply to it, nor does one that ended before the price that
    cleared its last margin call: a window that is evaluated again calls nobody twice. Returns how many were opened. One
    transaction. Locks: the loans, in id order.
    """
    if point.price is None:
        return 0
    price, limits = point.price, thresholds()

    def at_risk(loans: list[Loan]) -> list[Loan]:
        called = set(open_margin_calls(loans).values_list("loan_id", flat=True))
        return [
            loan
            for loan in loans
            if loan.status == LoanStatus.ACTIVE
            and loan.pk not in called
            and risk.must_call(loan.outstanding_balance, loan.collateral, price, limits)
        ]

    def call(loans: list[Loan]) -> None:
        now, rounded = clock.now(), money.round_down(price, money.DECIMAL_PLACES)
        MarginCall.objects.bulk_create(
            MarginCall(
                loan=loan,
                price=rounded,
                price_at=point.at,
                outstanding_balance=loan.outstanding_balance,
                collateral=loan.collateral,
                opened_at=now,
            )
            for loan in loans
        )

    pages = candidates.without_margin_call(point, limits).pages(limit)
    return change_next_batch("margin_call", point, pages, at_risk, call)


def clear_margin_calls(point: PricePoint, limit: int = 500) -> int:
    """Close up to `limit` open margin calls of loans that are below the clearing LTV at `point`.

    Returns how many. One transaction. Locks: the loans, in id order.
    """
    if point.price is None:
        return 0
    price, limits = point.price, thresholds()

    def recovered(loans: list[Loan]) -> list[Loan]:
        called = set(open_margin_calls(loans).values_list("loan_id", flat=True))
        return [
            loan
            for loan in loans
            if loan.pk in called and risk.may_clear(loan.outstanding_balance, loan.collateral, price, limits)
        ]

    def clear(loans: list[Loan]) -> None:
        close(open_margin_calls(loans), MarginCall.CloseReason.CLEARED, clock.now(), cleared_to=point.applies_before)

    pages = candidates.with_margin_call(point, limits).pages(limit)
    return change_next_batch("margin_call_cleared", point, pages, recovered, clear)


def close_if_cleared(loan: Loan, point: PricePoint, now: datetime) -> MarginCall | None:
    """Close a loan's open margin call if LTV is below the clearing threshold at `point`; return it if it stays open.

    The caller has locked the loan, in its transaction and cause.
    """
    margin_call = open_margin_calls([loan]).first()
    if margin_call is None or point.price is None:
        return margin_call
    if not risk.may_clear(loan.outstanding_balance, loan.collateral, point.price, thresholds()):
        return margin_call
    close(open_margin_calls([loan]), MarginCall.CloseReason.CLEARED, now, cleared_to=point.applies_before)
    return None


def close(
    margin_calls: "QuerySet[MarginCall]",
    reason: MarginCall.CloseReason,
    now: datetime,
    *,
    cleared_to: datetime | None = None,
) -> None:
    """Close open margin calls of loans that the caller has locked, in its transaction and cause.

    `cleared_to` is the end of the price that cleared them: no price that ended by then opens another one.
    """
    margin_calls.update(closed_at=now, close_reason=reason, cleared_to=cleared_to)


def open_margin_calls(loans: Sequence[Loan] | Sequence[int]) -> "QuerySet[MarginCall]":
    """The open margin calls of these loans, or loans' primary keys."""
    return MarginCall.objects.filter(loan__in=loans, closed_at__isnull=True)
