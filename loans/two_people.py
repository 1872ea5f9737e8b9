"""Posting much collateral by hand as an act of two people: what both are shown, and what is done when they agree.

One of them alone is refused it (`postings.post_by_hand`).
Importing it registers the action; the admin does (docs/decisions/0024).
"""

from typing import Any

from django.contrib.auth.models import User

from coruscant.approvals.actions import Action, register
from coruscant.approvals.arguments import Arguments, read, words
from coruscant.money import decimal_string, parse_amount
from loans import postings
from loans.models import Loan, LoanStatus
from loans.selectors import LoanNotFound

POST = "loans.post_collateral"


def _read(arguments: Arguments) -> dict[str, Any]:
    return read(arguments, request_id=words, loan_id=words, borrower_id=words, amount=parse_amount)


def _loan(loan_id: str, *, locked: bool = False) -> Loan:
    rows = Loan.objects.select_for_update() if locked else Loan.objects
    loan = rows.filter(loan_id=loan_id).first()
    if loan is None:
        raise LoanNotFound("There is no loan of this loanId.")
    return loan


def _lock(arguments: Arguments) -> None:
    _loan(_read(arguments)["loan_id"], locked=True)


def _effect(arguments: Arguments) -> str:
    sent = _read(arguments)
    loan = postings.that_takes_collateral(_loan(sent["loan_id"]), sent["borrower_id"])
    activates = " It is new, and may become active by it." if loan.status == LoanStatus.NEW else ""
    return (
        f"{decimal_string(sent['amount'])} units of collateral are posted for the loan {loan.loan_id} of"
        f" {loan.borrower_id}, under the request id {sent['request_id']}.{activates}"
    )


def _post(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    sent = _read(arguments)
    accepted = postings.post_within_transaction(client=asked_by.get_username(), **sent)
    again = ", as before: nothing was done twice" if accepted.replayed else ""
    return f"{decimal_string(sent['amount'])} units are posted for loan {accepted.loan_id}{again}."


register(
    Action(
        name=POST,
        title="Post collateral",
        permission="loans.add_collateralposting",
        lock=_lock,
        effect=_effect,
        execute=_post,
    )
)
