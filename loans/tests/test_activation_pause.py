"""While activations are paused, neither a posting nor a price activates a loan."""

import json
import threading
from decimal import Decimal

import pytest

from coruscant import clock
from coruscant.controls.models import Control
from coruscant.controls.tests.support import pull_it
from loans import activation, postings
from loans.conftest import price_point
from loans.models import Loan
from loans.tests.factories import LoanFactory
from loans.tests.threads import at_once


def post(loan, units="1", request_id="req-1"):
    return postings.post_collateral(
        client="", request_id=request_id, loan_id=loan.loan_id, borrower_id=loan.borrower_id, amount=Decimal(units)
    )


@pytest.mark.django_db
def test_a_posting_is_booked_and_answered_and_activates_nothing(set_best_price):
    set_best_price("50")
    loan = LoanFactory(collateral=Decimal(39))
    pull_it("pause_activations")
    body = json.loads(post(loan).body)
    assert (body["status"], body["collateral"], body["activatedAt"]) == ("new", "40", None)
    assert body["requiredCollateral"] == "0"
    assert json.loads(post(loan).body) == body
    loan.refresh_from_db()
    assert (loan.status, loan.collateral, loan.activated_at) == ("new", 40, None)


@pytest.mark.django_db
def test_a_price_activates_nothing_until_the_pause_is_over(django_assert_num_queries):
    LoanFactory(collateral=Decimal(40))
    pause = pull_it("pause_activations")
    with django_assert_num_queries(2):  # the clock and the control: no candidate is looked at
        assert activation.activate_loans(price_point("50")) == 0
    with clock.driven_by(lambda: pause.until):
        assert activation.activate_loans(price_point("50", at=pause.until)) == 1


@pytest.mark.django_db
def test_a_pause_of_claims_activates_as_ever(set_best_price):
    set_best_price("50")
    loan = LoanFactory(collateral=Decimal(39))
    pull_it()
    assert json.loads(post(loan).body)["status"] == "active"


@pytest.mark.django_db(transaction=True)
def test_a_pause_waits_for_a_posting_that_may_activate_and_later_ones_obey(set_best_price, arm):
    set_best_price("50")
    first, second = (LoanFactory(collateral=Decimal(39)) for _ in range(2))
    written = threading.Event()

    def pause(name):
        if name == "posting.written" and not written.is_set():
            written.set()
            threading.Event().wait(0.5)

    def pull():
        written.wait(10)
        control = pull_it("pause_activations")
        return control, Loan.objects.get(pk=first.pk).status

    arm(pause)
    posted, (control, seen) = at_once(lambda: post(first), pull)
    assert json.loads(posted.body)["status"] == seen == "active", "it was activated before the pause held"
    activated_at = Loan.objects.get(pk=first.pk).activated_at
    assert activated_at < control.began_at
    assert json.loads(post(second, request_id="req-2").body)["status"] == "new"
    assert Control.objects.get() == control
