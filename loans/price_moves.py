"""What a price does to loans, in bulk: activation, margin calls and their clearing.

Each function works on one batch in one transaction and returns how many rows it changed; 0 means that nothing is
left at this price. Whom the exact rule turns down is passed over (see `candidates`). Rows are locked in id order.
"""

from collections.abc import Callable, Iterator

import structlog
from django.db import transaction
from django.db.models import QuerySet

from coruscant import clock, failpoints, money
from coruscant.history import audit
from loans import candidates, risk, services
from loans.models import Loan, LoanStatus, MarginCall
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

_ACTIVATE = (
    "UPDATE loans_loan SET status = 'active', activated_at = %(now)s, prices_apply_from = %(prices_apply_from)s"
    " WHERE id = ANY(%(loans)s)"
)
_WARN = (
    "INSERT INTO loans_margincall"
    " (loan_id, price, price_at, outstanding_balance, collateral, opened_at, close_reason)"
    " SELECT id, %(price)s, %(price_at)s, outstanding_balance, collateral, %(now)s, ''"
    " FROM loans_loan WHERE id = ANY(%(loans)s) ORDER BY id"
)


def activate_loans(point: PricePoint, limit: int = 500) -> int:
    """Activate up to `limit` new loans whose collateral is complete at `point`, stamped with its instant.

    Returns how many. A point without a price changes nothing.
    """
    if point.price is None:
        return 0
    price, thresholds = point.price, services.thresholds()

    def choose(loans: list[Loan]) -> list[Loan]:
        return [
            loan
            for loan in loans
            if loan.status == LoanStatus.NEW
            and risk.may_activate(loan.outstanding_balance, loan.collateral, price, thresholds)
        ]

    def act(loans: list[Loan]) -> None:
        activation = {"loans": _keys(loans), "now": clock.now(), "prices_apply_from": point.until or point.at}
        audit.write_recorded(Loan, _ACTIVATE, activation, audit.CHANGED)

    return _move("activation", point, candidates.new(point, thresholds).pages(limit), choose, act)


def call_loans(point: PricePoint, limit: int = 500) -> int:
    """Open a margin call for up to `limit` active loans at or above the warning threshold that have none open.

    Loans activated after `point` had ended are not judged by it, nor are those whose margin call was cleared by a
    later price: a window that is judged again warns of nothing twice. Returns how many.
    """
    if point.price is None:
        return 0
    price, thresholds = point.price, services.thresholds()

    def choose(loans: list[Loan]) -> list[Loan]:
        warned = set(_open_margin_calls(loans).values_list("loan_id", flat=True))
        return [
            loan
            for loan in loans
            if loan.status == LoanStatus.ACTIVE
            and loan.pk not in warned
            and risk.must_call(loan.outstanding_balance, loan.collateral, price, thresholds)
        ]

    def act(loans: list[Loan]) -> None:
        shown = money.round_down(price, money.DECIMAL_PLACES)
        call = {"loans": _keys(loans), "price": shown, "price_at": point.at, "now": clock.now()}
        audit.write_recorded(MarginCall, _WARN, call, audit.CREATED)

    return _move("margin_call", point, candidates.without_margin_call(point, thresholds).pages(limit), choose, act)


def clear_margin_calls(point: PricePoint, limit: int = 500) -> int:
    """Close up to `limit` open margin calls of loans that are below the clearing threshold at `point`.

    Returns how many.
    """
    if point.price is None:
        return 0
    price, thresholds = point.price, services.thresholds()

    def choose(loans: list[Loan]) -> list[Loan]:
        warned = set(_open_margin_calls(loans).values_list("loan_id", flat=True))
        return [
            loan
            for loan in loans
            if loan.pk in warned and risk.may_clear(loan.outstanding_balance, loan.collateral, price, thresholds)
        ]

    def act(loans: list[Loan]) -> None:
        keys = list(_open_margin_calls(loans).values_list("pk", flat=True))
        services.close_margin_calls(keys, MarginCall.CloseReason.CLEARED, clock.now(), cleared_to=point.applies_before)

    return _move("margin_call_cleared", point, candidates.with_margin_call(point, thresholds).pages(limit), choose, act)


def correlation_id(point: PricePoint) -> str:
    """The price event behind a point, as `market:reference` of its best quote; empty if it has none."""
    return f"{point.quotes[0].market}:{point.quotes[0].reference}" if point.quotes else ""


def _move(
    action: str,
    point: PricePoint,
    pages: Iterator[list[int]],
    choose: Callable[[list[Loan]], list[Loan]],
    act: Callable[[list[Loan]], None],
) -> int:
    """Lock page after page until the exact rule chooses some loans; act on those, and commit."""
    chosen: list[Loan] = []
    for page in pages:
        with transaction.atomic(), audit.cause(action, correlation_id=correlation_id(point)):
            loans = list(Loan.objects.select_for_update().filter(pk__in=page).order_by("pk"))
            failpoints.reach(f"{action}.locked")
            chosen = choose(loans)
            if chosen:
                act(chosen)
                failpoints.reach(f"{action}.written")
        if chosen:
            break
    if chosen:
        failpoints.reach(f"{action}.committed")
        log.info("loans_moved", action=action, loans=len(chosen), price=str(point.price), price_at=point.at.isoformat())
    return len(chosen)


def _keys(loans: list[Loan]) -> list[int]:
    return [loan.pk for loan in loans]


def _open_margin_calls(loans: list[Loan]) -> QuerySet[MarginCall]:
    return MarginCall.objects.filter(loan__in=loans, closed_at__isnull=True)
