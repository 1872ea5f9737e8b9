"""A price activates new loans whose collateral is complete."""

# mypy: disable-error-code="comparison-overlap"

from decimal import Decimal

import pytest

from coruscant import clock
from loans import activation
from loans.conftest import PRICED_AT, price_point
from loans.models import Loan
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db


def test_covered_new_loans_are_activated_and_prices_apply_from_that_price():
    covered = LoanFactory(collateral=Decimal(40))
    LoanFactory(collateral=Decimal("39.999999999999999999999999"))
    LoanFactory()
    before = clock.now()
    assert activation.activate_loans(price_point("50")) == 1
    assert activation.activate_loans(price_point("50")) == 0
    loan = Loan.objects.get(status="active")
    assert loan == covered
    assert loan.prices_apply_from == PRICED_AT
    assert loan.activated_at is not None
    assert before <= loan.activated_at <= clock.now()
    entry = Loan.history.latest()
    assert (entry.status, entry.history_change_reason) == ("active", "activation mos_espa:event-1")
    assert Loan.history.count() == 4


def test_loans_that_only_the_rounding_finds_are_skipped():
    """At this price the bound of the search is too high by one last digit: it finds loans that the rule rejects."""
    price = "0.000000000000000000000001"
    rounded_to_the_bound = [
        LoanFactory(collateral=Decimal(10) ** 12, amount=Decimal("0.000000000001")) for _ in range(5)
    ]
    sure = LoanFactory(collateral=Decimal(10) ** 13, amount=Decimal("0.000000000001"))
    assert activation.activate_loans(price_point(price), limit=2) == 1
    assert activation.activate_loans(price_point(price), limit=2) == 0
    assert Loan.objects.get(status="active") == sure
    assert Loan.objects.filter(status="new").count() == len(rounded_to_the_bound)


def test_loans_that_only_the_rounding_finds_do_not_hide_those_after_them():
    """Debts of 1.5 and 1 last digits are stored as 2 and 1; at a bound of 2 only an exact check distinguishes them."""
    price = "0.000000000000000000000002"
    unit = Decimal("1e-24")
    LoanFactory(collateral=Decimal(2), amount=3 * unit)
    covered = LoanFactory(collateral=Decimal(1), amount=unit)
    assert activation.activate_loans(price_point(price), limit=1) == 1
    assert Loan.objects.get(status="active") == covered


@pytest.mark.django_db(transaction=True)
def test_the_barrier_is_held_in_a_transaction_only():
    with pytest.raises(RuntimeError, match="none is open"):
        activation.hold()
