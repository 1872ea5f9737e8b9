"""The figures of a loan: exact, and of the claim once there is one."""

from datetime import UTC, datetime
from decimal import Decimal

from desk.loan import figures
from desk.loan.figures import Segment
from liquidation.models import Liquidation
from loans.models import Loan, LoanTerms
from loans.risk import Thresholds

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
TERMS = LoanTerms(
    version=1, activation_ltv=Decimal("0.5"), margin_call_ltv=Decimal("0.7"), margin_call_clear_ltv=Decimal("0.6"),
    liquidation_ltv=Decimal("0.8"),
)  # fmt: skip


def a_loan(**columns):
    return Loan(
        **{
            "terms": TERMS, "amount": Decimal(1000), "outstanding_balance": Decimal(1000), "collateral": Decimal(40),
            "status": "active", "activated_at": NOON, **columns,
        }
    )  # fmt: skip


def a_sale(**columns):
    return Liquidation(
        **{
            "terms": TERMS, "price": Decimal(30), "balance_at_claim": Decimal(1000), "collateral_at_claim": Decimal(40),
            "collateral_sold": Decimal(33), "proceeds": Decimal("990"), "claimed_at": NOON, **columns,
        }
    )  # fmt: skip


def test_an_active_loan_stands_where_the_price_now_puts_it():
    found = figures.position(a_loan(), None, Decimal("31.25"), Decimal("31.25"))
    assert not found.at_claim
    assert (found.ltv, found.sale_at, found.fall_to_sale) == (Decimal("0.8"), Decimal("31.25"), 0)
    assert found.call_at == Decimal("35.714285714285714285714285")
    assert found.fall_to_call == 0, "it is above that already"
    assert found.missing == 24, "64 units at 31.25 GC are 2000 GC"
    assert figures.position(a_loan(), None, Decimal(50), Decimal(50)).fall_to_sale == Decimal("0.375")


def test_what_is_missing_goes_by_the_price_that_activates():
    assert figures.position(a_loan(status="new"), None, Decimal(50), Decimal(20)).missing == 60
    assert figures.position(a_loan(status="new"), None, Decimal(50), Decimal(50)).missing == 0


def test_a_claimed_loan_stands_where_its_claim_found_it():
    found = figures.position(a_loan(status="liquidating", collateral=Decimal(1)), a_sale(), Decimal(99), Decimal(99))
    assert found.at_claim
    assert (found.price, found.sale_at) == (30, Decimal("31.25"))
    assert found.ltv.quantize(Decimal("0.0001")) == Decimal("0.8333")
    assert (found.fall_to_call, found.fall_to_sale, found.missing) == (None, None, None)


def test_without_a_price_or_collateral_there_is_no_ltv():
    unpriced = figures.position(a_loan(), None, None, None)
    assert (unpriced.ltv, unpriced.fall_to_call, unpriced.missing, unpriced.meter.ltv) == (None, None, None, None)
    assert unpriced.sale_at == Decimal("31.25")
    bare = figures.position(a_loan(status="new", collateral=Decimal(0)), None, Decimal(50), Decimal(50))
    assert (bare.ltv, bare.call_at, bare.sale_at, bare.missing) == (None, None, None, 40)


def test_the_meter_has_the_lines_of_the_terms():
    meter = figures.meter(Decimal(1) / 3, TERMS.thresholds)
    assert meter.segments == (
        Segment(0, 200, "safe"), Segment(200, 80, "watch"), Segment(280, 40, "call"), Segment(320, 80, "sale"),
    )  # fmt: skip
    assert [(line.left, line.text) for line in meter.lines] == [(200, "50"), (240, "60"), (280, "70"), (320, "80")]
    assert (meter.ltv.left, meter.ltv.text) == (Decimal("133.3"), "33.33 %")
    assert meter.words == (
        "LTV 33.33 %; activation 50.00 %, margin calls end 60.00 %, margin call 70.00 %, liquidation 80.00 %"
    )
    assert figures.meter(None, TERMS.thresholds).words.startswith("No LTV; ")


def test_an_ltv_beyond_the_meter_stands_at_its_end_and_says_what_it_is():
    beyond = figures.meter(Decimal("2.5"), TERMS.thresholds).ltv
    assert (beyond.left, beyond.text, beyond.text_left) == (400, "250.00 %", 376)


def test_of_lines_that_are_too_close_one_has_a_text_and_of_equal_ones_there_is_one():
    close = Thresholds(Decimal("0.5"), Decimal("0.795"), Decimal("0.795"), Decimal("0.8"))
    meter = figures.meter(None, close)
    assert [line.text for line in meter.lines] == ["50", "", "80"]
    assert "margin call 79.50 %" in meter.words
    whole = figures.meter(None, Thresholds(Decimal("0.5"), Decimal(1), Decimal("0.6"), Decimal(1)))
    assert [segment.kind for segment in whole.segments] == ["safe", "watch"]


def test_money_is_what_was_disbursed_and_what_the_sale_brought():
    new = figures.money_of(a_loan(activated_at=None), None)
    assert (new.is_disbursed, new.disbursed, new.proceeds) == (False, 1000, None)
    sold = figures.money_of(
        a_loan(outstanding_balance=Decimal(10)), a_sale(surplus=Decimal(0), shortfall=Decimal(10), settled_at=NOON)
    )
    assert (sold.is_disbursed, sold.proceeds, sold.surplus, sold.shortfall, sold.outstanding) == (True, 990, 0, 10, 10)


def test_collateral_says_for_how_much_it_was_sold_against_what_was_quoted():
    loan = a_loan(collateral=Decimal(7))
    sold = figures.collateral_of(loan, a_sale(), Decimal(30), posted=Decimal(40), orders=2, expected=Decimal(1000))
    assert (sold.sold, sold.orders, sold.left, sold.value, sold.is_settled) == (33, 2, 7, 210, False)
    assert (sold.average_price, sold.slippage) == (30, Decimal("-0.01"))
    unsold = a_sale(collateral_sold=Decimal(0), proceeds=Decimal(0))
    nothing = figures.collateral_of(loan, unsold, None, posted=Decimal(40), orders=0, expected=Decimal(0))
    assert (nothing.average_price, nothing.slippage, nothing.value) == (None, None, None)
    kept = figures.collateral_of(loan, None, Decimal(30), posted=Decimal(7), orders=0, expected=Decimal(0))
    assert (kept.posted, kept.left, kept.value, kept.sold) == (7, 7, 210, None)
