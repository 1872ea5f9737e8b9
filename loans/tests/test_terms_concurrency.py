"""New terms wait for the loans that are being opened: each loan has the terms that were valid when it was."""

import threading
from decimal import Decimal

import pytest
from django.db import transaction

from loans import applications, terms
from loans.models import Loan, LoanTerms
from loans.tests.test_terms import STRICTER
from loans.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_new_terms_wait_for_a_loan_that_is_being_opened(set_best_price, arm):
    written, makes, made = threading.Event(), threading.Event(), threading.Event()

    def wait_for_the_terms(name: str) -> None:
        if name == "application.written":
            written.set()
            makes.wait(10)
            assert not made.wait(0.5), "the loan is not committed"

    def apply(loan_id: str) -> None:
        applications.apply_for_loan(
            client="otc", request_id=loan_id, loan_id=loan_id, borrower_id="B1", amount=Decimal(1000)
        )

    def make() -> None:
        written.wait(10)
        makes.set()
        with transaction.atomic():
            terms.make(STRICTER, asked_by="leia", agreed_by="han")
        made.set()

    arm(wait_for_the_terms)
    assert at_once(lambda: apply("before"), make) == [None, None]
    arm(None)
    apply("after")
    assert dict(Loan.objects.values_list("loan_id", "terms")) == {"before": 1, "after": 2}
    valid_from = LoanTerms.objects.get(version=2).valid_from
    assert Loan.objects.get(loan_id="before").created_at < valid_from < Loan.objects.get(loan_id="after").created_at
