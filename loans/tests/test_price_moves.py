"""What a price does to loans in bulk."""

# mypy: disable-error-code="comparison-overlap"

import itertools
from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock
from loans import activation, margin_calls
from loans.conftest import PRICED_AT, price_point
from loans.models import Loan, LoanStatus, MarginCall
from loans.tests.factories import LoanFactory, MarginCallFactory

pytestmark = pytest.mark.django_db
MOVES = [activation.activate_loans, margin_calls.call_loans, margin_calls.clear_margin_calls]


@pytest.mark.parametrize("move", MOVES)
def test_an_unknown_price_moves_nothing(move):
    LoanFactory(collateral=Decimal(40))
    MarginCallFactory()
    assert move(price_point(None)) == 0
    assert Loan.history.count() == 2


@pytest.mark.parametrize("move", MOVES)
def test_no_loans_no_moves(move):
    assert move(price_point("50")) == 0


def test_covered_new_loans_are_activated_with_the_stamp_of_the_price():
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


def test_batches_are_bounded_and_reach_everyone():
    for _ in range(5):
        LoanFactory(collateral=Decimal(50))
    assert [activation.activate_loans(price_point("50"), limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert Loan.history.filter(status="active").count() == 5


def test_a_margin_call_is_opened_once_at_seventy_percent():
    at_the_line = LoanFactory(active=True, collateral=Decimal(1000), amount=Decimal(700))
    LoanFactory(active=True, collateral=Decimal("1000.000000000000000000000001"), amount=Decimal(700))
    LoanFactory(collateral=Decimal(1))
    assert margin_calls.call_loans(price_point("1")) == 1
    assert margin_calls.call_loans(price_point("1")) == 0
    warning = MarginCall.objects.get()
    assert (warning.loan, warning.price, warning.price_at, warning.closed_at) == (at_the_line, 1, PRICED_AT, None)
    assert (warning.outstanding_balance, warning.collateral) == (700, 1000)
    entry = MarginCall.history.get()
    assert (entry.history_type, entry.history_change_reason) == ("+", "margin_call mos_espa:event-1")


def test_a_second_margin_call_comes_only_after_ltv_was_below_sixty_percent():
    LoanFactory(active=True, collateral=Decimal(1000), amount=Decimal(600))

    seconds = itertools.count(1)

    def tick(price: str) -> tuple[int, int]:
        point = price_point(price, PRICED_AT + timedelta(seconds=next(seconds)))
        return margin_calls.call_loans(point), margin_calls.clear_margin_calls(point)

    assert tick("0.85") == (1, 0)  # 70.6 %
    assert tick("0.95") == (0, 0)  # 63.2 %
    assert tick("0.85") == (0, 0)
    assert tick("1") == (0, 0)  # exactly 60 %
    assert tick("1.000000000000000000000001") == (0, 1)
    assert tick("0.85") == (1, 0)
    assert [w.close_reason for w in MarginCall.objects.order_by("id")] == ["cleared", ""]
    assert MarginCall.history.filter(history_change_reason="margin_call_cleared mos_espa:event-1").count() == 1
    assert MarginCall.history.count() == 3


def test_a_price_from_before_the_activation_judges_no_loan():
    LoanFactory(active=True, prices_apply_from=PRICED_AT + timedelta(seconds=1))
    assert margin_calls.call_loans(price_point("1")) == 0
    assert margin_calls.call_loans(price_point("1", PRICED_AT + timedelta(seconds=1))) == 1


@pytest.mark.parametrize("status", [LoanStatus.LIQUIDATING, LoanStatus.LIQUIDATED])
def test_claimed_loans_are_left_alone(status):
    LoanFactory(active=True, status=status)
    assert [move(price_point("1")) for move in MOVES] == [0, 0, 0]


def test_rows_that_only_the_rounding_found_are_passed_over():
    """At this price the search bound is a last digit too generous: it finds loans that the exact rule turns down."""
    price = "0.000000000000000000000001"
    rounded_to_the_bound = [
        LoanFactory(collateral=Decimal(10) ** 12, amount=Decimal("0.000000000001")) for _ in range(5)
    ]
    sure = LoanFactory(collateral=Decimal(10) ** 13, amount=Decimal("0.000000000001"))
    assert activation.activate_loans(price_point(price), limit=2) == 1
    assert activation.activate_loans(price_point(price), limit=2) == 0
    assert Loan.objects.get(status="active") == sure
    assert Loan.objects.filter(status="new").count() == len(rounded_to_the_bound)


def test_what_the_rounding_found_does_not_hide_a_loan_behind_it():
    """Debts of 1.5 and 1 last digits are stored as 2 and 1; at a bound of 2 only an exact check tells them apart."""
    price = "0.000000000000000000000002"
    unit = Decimal("1e-24")
    LoanFactory(collateral=Decimal(2), amount=3 * unit)
    covered = LoanFactory(collateral=Decimal(1), amount=unit)
    assert activation.activate_loans(price_point(price), limit=1) == 1
    assert Loan.objects.get(status="active") == covered


@pytest.mark.parametrize(("move", "loans"), [(activation.activate_loans, 1), (activation.activate_loans, 20)])
def test_a_batch_takes_a_fixed_number_of_statements(move, loans, django_assert_num_queries):
    for _ in range(loans):
        LoanFactory(collateral=Decimal(50))
    # Savepoint and release, cause and the one before it, candidates, locks, clock, update.
    with django_assert_num_queries(8):
        assert move(price_point("50")) == loans
