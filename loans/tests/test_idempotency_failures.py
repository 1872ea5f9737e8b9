"""A request that fails may be sent again: it has taken effect completely or not at all."""

import pytest
from django.test import Client

from loans.api.tests.calls import GOOD, send
from loans.models import AcceptedRequest, CollateralPosting, Loan
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fifty(set_best_price):
    set_best_price("50")


@pytest.mark.parametrize(
    "point", ["posting.seen", "posting.locked", "posting.written", "application.looked", "application.written"]
)
def test_a_failure_before_the_commit_leaves_nothing_and_may_be_repeated(arm, point):
    path = "/collateral-top-ups" if point.startswith("posting") else "/loan-applications"
    if path == "/collateral-top-ups":
        LoanFactory(loan_id="L1")
    rows = Loan.history.count()

    def fail(name: str) -> None:
        if name == point:
            raise RuntimeError(name)

    arm(fail)
    assert send(Client(), path, GOOD).status_code == 500
    assert AcceptedRequest.objects.count() == CollateralPosting.objects.count() == 0
    assert Loan.history.count() == rows
    arm(None)
    assert "Idempotency-Replayed" not in send(Client(), path, GOOD)


@pytest.mark.parametrize("point", ["application.committed", "posting.committed", "posting.committed_at_once"])
def test_a_failure_after_the_commit_is_answered_by_a_replay(arm, point):
    path = "/collateral-top-ups" if point.startswith("posting") else "/loan-applications"
    if path == "/collateral-top-ups":
        LoanFactory(loan_id="L1", active=point == "posting.committed_at_once")

    def fail(name: str) -> None:
        if name == point:
            raise RuntimeError(name)

    arm(fail)
    assert send(Client(), path, GOOD).status_code == 500
    arm(None)
    again = send(Client(), path, GOOD)
    assert (again.status_code, again["Idempotency-Replayed"]) == (202, "true")
    assert Loan.objects.count() == AcceptedRequest.objects.count() == 1
