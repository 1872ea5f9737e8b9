"""Margin calls: opened at a price, closed when LTV falls below the clearing LTV, or by a claim."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from coruscant import clock, money
from coruscant.any_of import AnyOf, array
from loans import candidates, margin_notices, risk
from loans.batches import LockedLoan, change_batches
from loans.events.models import LoanEventType
from loans.events.write import write_events
from loans.models import Loan, LoanStatus, MarginCall
from pricing.quotes import PricePoint

# What a margin call fixes is copied from the locked rows themselves. A loan with an open one gets no other.
_INSERT = """
    INSERT INTO loans_margincall
        (loan_id, terms_id, price, price_at, opened_at, outstanding_balance, collateral, close_reason)
    SELECT id, terms_id, %(price)s, %(price_at)s, %(now)s, outstanding_balance, collateral, ''
    FROM loans_loan l WHERE id = ANY(%(loans)s::bigint[])
    AND NOT EXISTS (SELECT FROM loans_margincall c WHERE c.loan_id = l.id AND c.closed_at IS NULL)
    ORDER BY id RETURNING loan_id
"""


def call_batches(point: PricePoint, limit: int = 1000) -> Iterator[int]:
    """Open margin calls for all active loans at or above the margin call LTV that have none open, `limit` at a time.

    Yields how many were opened, after each batch. A batch begins where the one before ended: the search does not skip
    those with a margin call again. A price that ended before a loan became active does not apply to it. A price that
    ended before the one that cleared a loan's last margin call opens no other, so a window may be evaluated again. None
    are opened while a jump of prices is pending. Each batch is one transaction, or part of that of whoever asks for it.
    Locks: the loans, in id order.
    """
    if not point.may_claim:
        return iter(())

    def call(loans: list[LockedLoan]) -> int:
        price = point.known_price
        due = [
            loan.pk
            for loan in loans
            if loan.status == LoanStatus.ACTIVE
            and risk.must_call(loan.outstanding_balance, loan.collateral, price, loan.terms.thresholds)
        ]
        if not due:
            return 0
        now, rounded = clock.now(), money.round_down(price, money.DECIMAL_PLACES)
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, {"loans": array(due), "price": rounded, "price_at": point.at, "now": now})
            called = [pk for (pk,) in cursor.fetchall()]
        margin_notices.end(called, now)
        write_events(LoanEventType.MARGIN_CALL, called, price, now)
        return len(called)

    return change_batches("margin_call", point, candidates.without_margin_call, call, limit)


def call_loans(point: PricePoint, limit: int = 500) -> int:
    """The first of `call_batches`; 0 if no loan is left to be called."""
    return next(call_batches(point, limit), 0)


def clear_margin_calls(point: PricePoint, limit: int = 500) -> int:
    """Close up to `limit` open margin calls of loans that are below the clearing LTV at `point`.

    Returns how many. One transaction. Locks: the loans, in id order.
    """

    def clear(loans: list[LockedLoan]) -> int:
        called = set(open_margin_calls(loan.pk for loan in loans).values_list("loan_id", flat=True))
        cleared = [loan for loan in loans if loan.pk in called and _may_clear(loan, point)]
        if cleared:
            _clear(cleared, point, clock.now())
        return len(cleared)

    return next(change_batches("margin_call_cleared", point, candidates.with_margin_call, clear, limit), 0)


def close_if_cleared(loan: Loan, point: PricePoint, now: datetime) -> MarginCall | None:
    """Close a loan's open margin call if LTV is below the clearing LTV at `point`; return it if it stays open.

    The caller has locked the loan, and saved it, in its transaction and cause.
    """
    margin_call = open_margin_calls([loan.pk]).first()
    if margin_call is None or point.price is None or not _may_clear(loan, point):
        return margin_call
    _clear([loan], point, now)
    return None


def close_for_claim(loan_ids: Sequence[int], now: datetime) -> None:
    """Close the open margin calls of loans (primary keys) that the caller has locked, in its transaction and cause."""
    open_margin_calls(loan_ids).update(closed_at=now, close_reason=MarginCall.CloseReason.CLAIMED)


def open_margin_calls(loan_ids: Iterable[int]) -> "QuerySet[MarginCall]":
    """The open margin calls of these loans (primary keys)."""
    return MarginCall.objects.filter(AnyOf("loan", loan_ids), closed_at__isnull=True)


def _may_clear(loan: Loan | LockedLoan, point: PricePoint) -> bool:
    return risk.may_clear(loan.outstanding_balance, loan.collateral, point.known_price, loan.terms.thresholds)


def _clear(loans: Sequence[Loan | LockedLoan], point: PricePoint, now: datetime) -> None:
    """No price that ended before the one that clears these margin calls opens another."""
    open_margin_calls(loan.pk for loan in loans).update(
        closed_at=now, close_reason=MarginCall.CloseReason.CLEARED, cleared_to=point.applies_before
    )
    write_events(LoanEventType.MARGIN_CALL_CLEARED, [loan.pk for loan in loans], point.price, now)
