"""What the services of liquidation do to a loan."""

# mypy: disable-error-code="comparison-overlap"

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from coruscant import history, rows
from loans import sales
from loans.models import Loan, LoanStatus, MarginCall
from loans.tests.factories import LoanFactory, MarginCallFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 1, tzinfo=UTC)
STEP = Decimal("0.00000001")


@pytest.fixture(autouse=True)
def cause():
    with history.cause("claim", correlation_id="mos_espa:event-1"):
        yield


def test_claimed_loans_are_liquidating_and_their_margin_calls_closed():
    called, plain, bystander = MarginCallFactory().loan, LoanFactory(active=True), LoanFactory(active=True)
    sales.begin_liquidation([called.pk, plain.pk], NOW, Decimal(25))
    assert set(Loan.objects.filter(status="liquidating")) == {called, plain}
    assert Loan.objects.get(pk=bystander.pk).status == "active"
    call = MarginCall.objects.get()
    assert (call.closed_at, call.close_reason) == (NOW, "claimed")


def test_a_claim_has_history_rows():
    call = MarginCallFactory()
    sales.begin_liquidation([call.loan.pk], NOW, Decimal(25))
    entry = Loan.history.latest()
    assert (entry.status, entry.history_type, entry.history_change_reason) == (
        "liquidating",
        "~",
        "claim mos_espa:event-1",
    )
    assert MarginCall.history.latest().close_reason == "claimed"
    assert Loan.history.count() == MarginCall.history.count() == 2


@pytest.mark.parametrize("status", [LoanStatus.LIQUIDATING, LoanStatus.LIQUIDATED])
def test_a_loan_is_claimed_once(status):
    loan = LoanFactory(active=True, status=status)
    with pytest.raises(sales.IllegalTransition):
        sales.begin_liquidation([loan.pk], NOW, Decimal(25))
    assert Loan.history.count() == 1


def test_a_sale_lowers_collateral_and_balance():
    loan = LoanFactory(active=True, status=LoanStatus.LIQUIDATING)
    assert not sales.book_sale(loan, Decimal("12.5"), Decimal("400.25"), smallest_sale=STEP)
    rows.write((loan, sales.BOOKED))
    loan.refresh_from_db()
    assert (loan.collateral, loan.outstanding_balance) == (Decimal("27.5"), Decimal("599.75"))
    assert loan.debt_per_unit == Decimal("21.809090909090909090909091")
    assert Loan.history.latest().outstanding_balance == Decimal("599.75")


@pytest.mark.parametrize(
    ("units", "proceeds", "done"),
    [
        ("20", "1000", True),
        ("20", "999.999", False),
        ("39.99999999", "1", False),
        ("39.999999990000000000000001", "1", True),
    ],
)
def test_a_sale_that_covers_the_balance_or_leaves_too_little_ends_the_liquidation(units, proceeds, done):
    loan = LoanFactory(active=True, status=LoanStatus.LIQUIDATING)
    assert sales.book_sale(loan, Decimal(units), Decimal(proceeds), smallest_sale=STEP) is done
    rows.write((loan, sales.BOOKED))
    expected = "liquidated" if done else "liquidating"
    assert (Loan.objects.get().status, Loan.history.latest().status, Loan.history.count()) == (expected, expected, 2)


def test_a_balance_never_falls_below_zero():
    loan = LoanFactory(active=True, status=LoanStatus.LIQUIDATING)
    sales.book_sale(loan, Decimal(40), Decimal(1001), smallest_sale=STEP)
    rows.write((loan, sales.BOOKED))
    loan.refresh_from_db()
    assert (loan.collateral, loan.outstanding_balance, loan.debt_per_unit) == (0, 0, None)


@pytest.mark.parametrize(("units", "proceeds"), [("41", "1"), ("-1", "1"), ("1", "-1")])
def test_impossible_sales_are_refused(units, proceeds):
    loan = LoanFactory(active=True, status=LoanStatus.LIQUIDATING)
    with pytest.raises(sales.IllegalTransition):
        sales.book_sale(loan, Decimal(units), Decimal(proceeds), smallest_sale=STEP)
    assert Loan.history.count() == 1


def test_a_finished_liquidation_is_final():
    loan = LoanFactory(active=True, status=LoanStatus.LIQUIDATING)
    sales.finish_liquidation(loan)
    assert Loan.objects.get().status == Loan.history.latest().status == "liquidated"
    with pytest.raises(sales.IllegalTransition):
        sales.finish_liquidation(loan)
    with pytest.raises(sales.IllegalTransition):
        sales.book_sale(loan, Decimal(1), Decimal(1), smallest_sale=STEP)
