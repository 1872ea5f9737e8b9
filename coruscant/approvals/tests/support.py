"""An action for the tests: a loan gets another borrower. And people who have been with the bank for a while."""

from datetime import timedelta

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from coruscant import clock
from coruscant.admin.tests.bank import make_representative
from coruscant.approvals.actions import Action
from coruscant.approvals.arguments import read, words
from coruscant.errors import DomainError
from loans.models import Loan

NAME = "tests.change_borrower"


class NoSuchLoan(DomainError):
    code = "no-such-loan"


class BorrowerBarred(DomainError):
    code = "borrower-barred"


def _found(arguments, rows):
    sent = read(arguments, loan_id=words, borrower_id=words)
    loan = rows.filter(loan_id=sent["loan_id"]).first()
    if loan is None:
        raise NoSuchLoan(f"There is no loan {sent['loan_id']}.")
    return loan, sent["borrower_id"]


def lock(arguments):
    _found(arguments, Loan.objects.select_for_update())


def effect(arguments):
    loan, borrower_id = _found(arguments, Loan.objects)
    return f"The loan {loan.loan_id} of {loan.borrower_id} becomes one of {borrower_id}."


def execute(arguments, *, asked_by, agreed_by):
    loan, borrower_id = _found(arguments, Loan.objects)
    loan.borrower_id = borrower_id
    loan.save(update_fields=["borrower_id"])
    if borrower_id == "jabba":
        raise BorrowerBarred("jabba gets no loans.")
    return f"{borrower_id} has the loan {loan.loan_id} now."


CHANGE_BORROWER = Action(
    name=NAME, title="Change the borrower", permission="loans.add_loan", lock=lock, effect=effect, execute=execute
)


def make_old(person: User) -> User:
    """An account that is old enough to agree."""
    person.date_joined = clock.now() - timedelta(days=2)
    person.save()
    return person


def representative(name: str) -> User:
    return make_old(make_representative(name))


def log_in(person: User) -> HttpRequest:
    """A request of this person's session."""
    request = HttpRequest()
    request.user = person
    request.session = SessionStore()
    request.session[SESSION_KEY] = str(person.pk)
    return request
