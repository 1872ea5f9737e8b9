"""Applying for a loan."""

# mypy: disable-error-code="comparison-overlap"

import json
from decimal import Decimal
from typing import Any

import pytest

from loans import applications
from loans.idempotency import RequestIdReused
from loans.models import AcceptedRequest, Loan
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db


def apply(**changes):
    request: dict[str, Any] = {
        "client": "otc",
        "request_id": "req-1",
        "loan_id": "L1",
        "borrower_id": "B1",
        "amount": Decimal(1000),
    }
    return applications.apply_for_loan(**(request | changes))


def test_an_application_opens_a_new_loan(set_best_price):
    set_best_price("50")
    accepted = apply()
    loan = Loan.objects.get()
    assert (loan.loan_id, loan.borrower_id, loan.status, loan.request_id) == ("L1", "B1", "new", "req-1")
    assert (loan.amount, loan.outstanding_balance, loan.collateral) == (1000, 1000, 0)
    assert not accepted.replayed
    body = json.loads(accepted.body)
    assert body["requiredCollateral"] == "40"
    assert body["ltv"] is None


def test_its_history_says_who_and_why(set_best_price):
    apply()
    entry = Loan.history.get()
    assert (entry.history_type, entry.history_change_reason, entry.history_actor) == (
        "+",
        "application req-1",
        "system",
    )


def test_the_same_application_again_is_answered_with_the_first_body(set_best_price):
    first = apply()
    set_best_price("50")
    again = apply(amount=Decimal("1000.0"))
    assert (again.body, again.replayed, again.loan_id) == (first.body, True, "L1")
    assert Loan.objects.count() == Loan.history.count() == AcceptedRequest.objects.count() == 1


@pytest.mark.parametrize("change", [{"amount": Decimal(1001)}, {"borrower_id": "B2"}, {"loan_id": "L2"}])
def test_the_same_request_id_with_other_content_is_refused(set_best_price, change):
    apply()
    with pytest.raises(RequestIdReused):
        apply(**change)
    assert Loan.objects.count() == AcceptedRequest.objects.count() == 1


def test_a_loan_id_is_used_once_and_the_refused_request_leaves_nothing(set_best_price):
    LoanFactory(loan_id="L1")
    with pytest.raises(applications.LoanIdTaken):
        apply()
    assert Loan.objects.count() == Loan.history.count() == 1
    assert AcceptedRequest.objects.count() == 0
    assert not apply(loan_id="L2").replayed


def test_request_ids_are_scoped_by_client(set_best_price):
    apply()
    assert not apply(client="another", loan_id="L2").replayed


def test_the_largest_amount_is_kept_to_the_last_digit(set_best_price):
    set_best_price("0.000000000000000000000001")
    largest = Decimal("9" * 20 + "." + "9" * 24)
    assert json.loads(apply(amount=largest).body)["amount"] == str(largest)
    assert Loan.objects.get().amount == largest


def test_an_unexpected_integrity_error_is_not_hidden(set_best_price):
    from django.db import IntegrityError

    with pytest.raises(IntegrityError):
        apply(amount=Decimal(0))
