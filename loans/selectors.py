"""The readers of loans. They take no locks."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet

from loans import services
from loans.models import Loan, LoanStatus, MarginCall
from loans.representation import represent
from pricing import best_price


def loans(*, status: LoanStatus | None = None, borrower_id: str | None = None) -> QuerySet[Loan]:
    """Loans with their liquidation and its event loaded, of one status and one borrower where these are given."""
    found = Loan.objects.select_related("liquidation__event").defer("liquidation__evidence")
    if status is not None:
        found = found.filter(status=status)
    if borrower_id is not None:
        found = found.filter(borrower_id=borrower_id)
    return found


def loan_at(path: str) -> Loan:
    """The loan that a path names: with this loanId, else with this loanId less a trailing slash.

    Raises LoanNotFound.
    """
    by_id = {loan.loan_id: loan for loan in loans().filter(loan_id__in={path, path.removesuffix("/")})}
    loan = by_id.get(path) or by_id.get(path.removesuffix("/"))
    if loan is None:
        raise services.LoanNotFound("There is no loan of this loanId.")
    return loan


def open_margin_calls(loans: Iterable[Loan]) -> dict[int, MarginCall]:
    """The open margin calls of these loans, by the loans' primary keys: one query."""
    return {warning.loan_id: warning for warning in MarginCall.objects.filter(loan__in=loans, closed_at__isnull=True)}


def represented(loans: Sequence[Loan]) -> list[dict[str, Any]]:
    """These loans as the API shows them, at the current best price: one query, whatever their number."""
    warnings, price, thresholds = open_margin_calls(loans), best_price.current().price, services.thresholds()
    return [represent(loan, warnings.get(loan.pk), price, thresholds) for loan in loans]
