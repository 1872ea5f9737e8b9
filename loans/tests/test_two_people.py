"""Two people post much collateral by hand: once, and only for a loan that still takes it."""

from contextlib import nullcontext
from decimal import Decimal

import pytest

from coruscant import history
from coruscant.approvals.ask import ask
from coruscant.approvals.decide import NotExecuted, agree
from coruscant.approvals.tests.support import log_in, representative
from loans import postings, two_people
from loans.models import CollateralPosting, Loan
from loans.postings import LoanClosed, NotTheBorrower, PostingNeedsTwo
from loans.selectors import LoanNotFound
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fifty(set_best_price):
    set_best_price("50")


@pytest.fixture
def ahsoka(db):
    return representative("ahsoka")


@pytest.fixture
def mace(db):
    return representative("mace")


def asked(loan, by, **changed):
    sent = {"request_id": "r-1", "loan_id": loan.loan_id, "borrower_id": "borrower-1", "amount": Decimal("1000.5")}
    return ask(two_people.POST, sent | changed, why="brought in a box", asked_by=by)


@pytest.mark.parametrize(
    ("four_eyes", "amount", "needed"),
    [(False, "1000000", False), (True, "1000", False), (True, "1000.000000000000000000000001", True)],
)
def test_a_second_person_is_needed_above_the_limit_where_the_bank_wants_it(settings, four_eyes, amount, needed):
    settings.FOUR_EYES, settings.FOUR_EYES_POSTING_UNITS = four_eyes, Decimal(1000)
    sent = {"request_id": "r-1", "loan_id": LoanFactory().loan_id, "borrower_id": "borrower-1"}
    with pytest.raises(PostingNeedsTwo, match="Above 1000 units") if needed else nullcontext():
        postings.post_by_hand(client="ahsoka", amount=Decimal(amount), **sent)
    assert CollateralPosting.objects.exists() is not needed


def test_it_is_posted_when_a_second_person_agrees(ahsoka, mace):
    loan = LoanFactory(active=True)
    approval = asked(loan, ahsoka)
    assert approval.effect == (
        f"1000.5 units of collateral are posted for the loan {loan.loan_id} of borrower-1, under the request id r-1."
    )
    assert not CollateralPosting.objects.exists()
    done = agree(approval.pk, request=log_in(mace))
    assert done.note == f"1000.5 units are posted for loan {loan.loan_id}."
    assert Loan.objects.get().collateral == Decimal("1040.5")
    entry = CollateralPosting.objects.get().history.get()
    assert (entry.history_actor, entry.history_change_reason) == ("ahsoka and mace", "posting r-1")


def test_a_new_loan_may_become_active_by_it_and_both_are_told(ahsoka, mace):
    approval = asked(LoanFactory(), ahsoka)
    assert approval.effect.endswith("It is new, and may become active by it.")
    agree(approval.pk, request=log_in(mace))
    assert Loan.objects.get().status == "active"


def test_the_same_request_is_posted_once(ahsoka, mace):
    loan = LoanFactory(active=True)
    approval = asked(loan, ahsoka)
    postings.post_collateral(
        client="ahsoka", request_id="r-1", loan_id=loan.loan_id, borrower_id="borrower-1", amount=Decimal("1000.5")
    )
    assert "nothing was done twice" in agree(approval.pk, request=log_in(mace)).note
    assert Loan.objects.get().collateral == Decimal("1040.5")
    assert CollateralPosting.objects.count() == 1


def test_a_request_id_that_was_used_for_something_else_fails(ahsoka, mace):
    loan = LoanFactory(active=True)
    approval = asked(loan, ahsoka)
    postings.post_collateral(
        client="ahsoka", request_id="r-1", loan_id=loan.loan_id, borrower_id="borrower-1", amount=Decimal(1)
    )
    with pytest.raises(NotExecuted, match="other content"):
        agree(approval.pk, request=log_in(mace))
    assert Loan.objects.get().collateral == 41


def test_a_loan_that_was_claimed_meanwhile_takes_nothing(ahsoka, mace):
    loan = LoanFactory(active=True)
    approval = asked(loan, ahsoka)
    with history.cause("test", correlation_id="claim"):
        Loan.objects.update(status="liquidating")
    with pytest.raises(NotExecuted, match="takes no more collateral"):
        agree(approval.pk, request=log_in(mace))
    assert Loan.objects.get().collateral == 40
    with pytest.raises(LoanClosed):
        asked(loan, ahsoka, request_id="r-2")


def test_what_no_loan_takes_cannot_be_asked(ahsoka):
    loan = LoanFactory(active=True)
    with pytest.raises(NotTheBorrower):
        asked(loan, ahsoka, borrower_id="another")
    with pytest.raises(LoanNotFound):
        asked(loan, ahsoka, loan_id="nowhere")
