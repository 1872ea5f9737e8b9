"""Reading loans. Nothing is locked."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django.db.models import QuerySet

from coruscant.errors import DomainError
from loans import margin_calls
from loans.clients import scopes
from loans.models import Loan
from loans.representation import represent, represent_details
from pricing import best_price

#: Postings that the answer about a single loan shows, the newest.
POSTINGS_SHOWN: Final = 100
NO_SUCH_LOAN: Final = "There is no loan of this loanId."


class LoanNotFound(DomainError):
    """There is no loan of this loanId."""

    code = "loan-not-found"
    title = "Unknown loan"
    status: ClassVar[int] = 404


def loans(only_of: str | None = None, **fields: str) -> QuerySet[Loan]:
    """Loans with the given values, with their terms, their liquidation and its event loaded.

    `only_of` names the API client whose own loans alone are looked at, if that is not all.
    """
    found = Loan.objects.select_related("terms", "liquidation__event").defer("liquidation__evidence").filter(**fields)
    return found if only_of is None else scopes.opened_by(only_of, found)


def loan_at(path: str, only_of: str | None = None) -> Loan:
    """The loan of this loanId, or of this loanId without its trailing slash. Raises LoanNotFound.

    A loan that `loans(only_of)` leaves out is as one that there is not.
    """
    by_id = {loan.loan_id: loan for loan in loans(only_of).filter(loan_id__in={path, path.removesuffix("/")})}
    loan = by_id.get(path) or by_id.get(path.removesuffix("/"))
    if loan is None:
        raise LoanNotFound(NO_SUCH_LOAN)
    return loan


def represented(loans: Sequence[Loan]) -> list[dict[str, Any]]:
    """These loans as the API shows them, at the current best price: one query, whatever their number."""
    called = {call.loan_id: call for call in margin_calls.open_margin_calls(loan.pk for loan in loans)}
    point = best_price.current()
    return [represent(loan, called.get(loan.pk), point.price, point.lower) for loan in loans]


def in_detail(loan: Loan) -> dict[str, Any]:
    """A loan as `GET /loans/{loanId}` shows it: two queries, however many postings it has."""
    (body,) = represented([loan])
    return body | represent_details(loan, loan.postings.order_by("-pk")[:POSTINGS_SHOWN])
