"""What holds for every bulk change that a price makes: activations, margin calls, and their clearing."""

from decimal import Decimal

import pytest

from loans import activation, margin_calls
from loans.conftest import price_point
from loans.models import Loan, LoanStatus
from loans.tests.factories import LoanFactory, MarginCallFactory

pytestmark = pytest.mark.django_db
CHANGES = [activation.activate_loans, margin_calls.call_loans, margin_calls.clear_margin_calls]


@pytest.mark.parametrize("change", CHANGES)
def test_an_unknown_price_changes_nothing(change):
    LoanFactory(collateral=Decimal(40))
    MarginCallFactory()
    assert change(price_point(None)) == 0
    assert Loan.history.count() == 2


@pytest.mark.parametrize("change", CHANGES)
def test_without_loans_a_price_changes_nothing(change):
    assert change(price_point("50")) == 0


def test_batches_are_bounded_and_reach_every_loan():
    for _ in range(5):
        LoanFactory(collateral=Decimal(50))
    assert [activation.activate_loans(price_point("50"), limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert Loan.history.filter(status="active").count() == 5


@pytest.mark.parametrize("status", [LoanStatus.LIQUIDATING, LoanStatus.LIQUIDATED])
def test_claimed_loans_are_left_alone(status):
    LoanFactory(active=True, status=status)
    assert [change(price_point("1")) for change in CHANGES] == [0, 0, 0]


@pytest.mark.parametrize(("change", "loans"), [(activation.activate_loans, 1), (activation.activate_loans, 20)])
def test_a_batch_takes_a_fixed_number_of_statements(change, loans, django_assert_num_queries):
    for _ in range(loans):
        LoanFactory(collateral=Decimal(50))
    # Savepoint and release, cause and the one before it, terms in use, candidates, locks, their terms, clock, update.
    with django_assert_num_queries(13):
        assert change(price_point("50")) == loans
