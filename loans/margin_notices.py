"""Notices before a margin call: given once when LTV reaches MARGIN_NOTICE_LTV; none without such a setting.

A notice is about the price that holds: no past low gives one, so what is evaluated again gives none twice.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from coruscant import clock, money
from coruscant.any_of import AnyOf
from loans import candidates, risk
from loans.batches import LockedLoan, change_batches
from loans.events.models import LoanEventType
from loans.events.write import write_events
from loans.models import LoanStatus, MarginNotice
from pricing.quotes import PricePoint

# What a notice fixes is copied from the locked rows. A loan with an open notice or margin call gets none.
_INSERT = """
    INSERT INTO loans_marginnotice
        (loan_id, notice_ltv, price, price_at, noticed_at, outstanding_balance, collateral)
    SELECT id, %(notice_ltv)s, %(price)s, %(price_at)s, %(now)s, outstanding_balance, collateral
    FROM loans_loan l WHERE id = ANY(%(loans)s)
    AND NOT EXISTS (SELECT FROM loans_margincall c WHERE c.loan_id = l.id AND c.closed_at IS NULL)
    AND NOT EXISTS (SELECT FROM loans_marginnotice n WHERE n.loan_id = l.id AND n.ended_at IS NULL)
    ORDER BY id RETURNING loan_id
"""


def notice_batches(point: PricePoint, notice_ltv: Decimal, limit: int = 1000) -> Iterator[int]:
    """Give notice to active loans from the notice LTV to below the margin call LTV, up to `limit` at a time.

    None to a loan with an open notice or margin call, and none at a price that ended before a loan became active, or
    before the one that cleared its last margin call; none while a jump of prices is pending. Yields to how many, after
    each batch, which begins where the one before ended. Each batch is one transaction, or part of that of whoever asks
    for it. Locks: the loans, in id order.
    """
    if not point.may_claim:
        return iter(())

    def give(loans: list[LockedLoan]) -> int:
        price = point.known_price
        due = [loan.pk for loan in loans if loan.status == LoanStatus.ACTIVE and _must_notice(loan, price, notice_ltv)]
        if not due:
            return 0
        now = clock.now()
        written: dict[str, Any] = {
            "loans": due, "notice_ltv": money.round_down(notice_ltv, money.DECIMAL_PLACES),
            "price": money.round_down(price, money.DECIMAL_PLACES), "price_at": point.at, "now": now,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, written)
            noticed = [pk for (pk,) in cursor.fetchall()]
        write_events(LoanEventType.MARGIN_NOTICE, noticed, price, now)
        return len(noticed)

    search = partial(candidates.without_notice, notice_ltv=notice_ltv)
    return change_batches("margin_notice", point, search, give, limit)


def give_notice(point: PricePoint, notice_ltv: Decimal, limit: int = 500) -> int:
    """The first of `notice_batches`; 0 if no loan is left to be given notice."""
    return next(notice_batches(point, notice_ltv, limit), 0)


def end_notices(point: PricePoint, limit: int = 500) -> int:
    """End up to `limit` open notices of loans that are below the clearing LTV at `point`: they may get another.

    Returns how many. Nobody is told. One transaction. Locks: the loans, in id order.
    """

    def end_those(loans: list[LockedLoan]) -> int:
        over = [loan.pk for loan in loans if _may_end(loan, point.known_price)]
        return _open(over).update(ended_at=clock.now()) if over else 0

    return next(change_batches("margin_notice_ended", point, candidates.with_notice, end_those, limit), 0)


def end(loan_ids: Iterable[int], now: datetime) -> None:
    """End the open notices of loans (primary keys) that get a margin call, or are claimed.

    Does nothing while notices are off. The caller has locked the loans, in its transaction.
    """
    if settings.MARGIN_NOTICE_LTV:
        _open(loan_ids).update(ended_at=now)


def _open(loan_ids: Iterable[int]) -> "QuerySet[MarginNotice]":
    return MarginNotice.objects.filter(AnyOf("loan", loan_ids), ended_at__isnull=True)


def _must_notice(loan: LockedLoan, price: Decimal, notice_ltv: Decimal) -> bool:
    return risk.must_notice(loan.outstanding_balance, loan.collateral, price, notice_ltv, loan.terms.thresholds)


def _may_end(loan: LockedLoan, price: Decimal) -> bool:
    return risk.may_clear(loan.outstanding_balance, loan.collateral, price, loan.terms.thresholds)
