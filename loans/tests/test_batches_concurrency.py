"""Batches at once change each loan once."""

from decimal import Decimal

import pytest

from loans import activation, margin_calls
from loans.conftest import price_point
from loans.models import Loan, MarginCall
from loans.tests.factories import LoanFactory
from loans.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("change", "price", "made"),
    [
        (activation.activate_loans, "50", {"collateral": Decimal(50)}),
        (margin_calls.call_loans, "35", {"active": True}),
    ],
)
def test_evaluations_at_once_change_each_loan_once(change, price, made):
    for _ in range(30):
        LoanFactory(**made)

    def change_all() -> int:
        total = 0
        while changed := change(price_point(price), limit=7):
            total += changed
        return total

    totals = at_once(change_all, change_all, change_all)
    assert sum(totals) == 30
    model_history = Loan.history if change is activation.activate_loans else MarginCall.history
    assert model_history.count() == (60 if change is activation.activate_loans else 30)
