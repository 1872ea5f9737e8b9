"""Evaluations wait for postings that may activate a loan, and for nothing else."""

import json
import threading
from decimal import Decimal

import pytest

from loans import activation, postings
from loans.idempotency import Accepted
from loans.models import Loan
from loans.tests.factories import LoanFactory
from loans.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fifty(set_best_price):
    set_best_price("50")


def post(loan: Loan, request_id: str) -> Accepted:
    return postings.post_collateral(
        client="", request_id=request_id, loan_id=loan.loan_id, borrower_id=loan.borrower_id, amount=Decimal(1)
    )


def test_an_evaluation_waits_for_a_posting_that_has_read_an_older_price(arm):
    """Otherwise it would not see the loan as active, and no later evaluation would apply these quotes to it."""
    loan = LoanFactory(collateral=Decimal(39))
    written, order = threading.Event(), []

    def pause(name: str) -> None:
        if name == "posting.written":
            written.set()
            threading.Event().wait(0.5)
            order.append("posting ends")

    def evaluate() -> int:
        written.wait(10)
        activation.wait_until_settled()
        order.append("evaluation goes on")
        return Loan.objects.filter(status="active").count()

    arm(pause)
    posted, seen = at_once(lambda: post(loan, "req-1"), evaluate)
    assert json.loads(posted.body)["status"] == "active"
    assert (seen, order) == (1, ["posting ends", "evaluation goes on"])


def test_postings_hold_nothing_up_but_evaluations():
    """Postings share the barrier, and evaluations that wait for it cause no deadlock."""
    loans = [LoanFactory(collateral=Decimal(39)) for _ in range(6)]
    evaluations = [activation.wait_until_settled] * 4
    posts = [
        lambda loan=loan, number=number: post(loan, f"req-{loan.pk}-{number}") for loan in loans for number in range(2)
    ]
    answers = at_once(*posts, *evaluations)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert Loan.objects.filter(status="active", collateral=41).count() == 6
