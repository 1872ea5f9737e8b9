"""Stress tests of the newest snapshot, with the prices and curves of now."""

from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock, history
from desk.book import snapshot
from desk.stress import selectors
from desk.stress.borrowers import Borrower
from desk.stress.selectors import NoSnapshot, PriceUnknown, stress_test
from liquidation.models import OrderStatus, TradeOrder
from loans.tests.factories import make_terms
from pricing.markets import Market

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def book(loan, quote):
    """Loans of 25, 30 and 36 GC a unit, at a price of 50 that nothing moves."""
    quote("50")
    made = [loan(amount=amount) for amount in ("1000", "1200", "1440")]
    snapshot.take()
    return made


def test_after_a_fall_of_the_best_price(book):
    found = stress_test(fall=Decimal("0.3"))
    assert (found.asked.price, found.asked.fall) == (Decimal(35), Decimal("0.3"))
    assert (found.asked.called, found.asked.sold, found.asked.owed) == (1, 2, Decimal(2640))
    assert found.asked.reached == Decimal(35)
    assert found.asked.shortfall == 1440 - 40 * 35
    assert found.borrowers == [Borrower("borrower-1", 2, Decimal(2640), Decimal(40))]
    assert (found.markets.price, found.markets.fresh, found.seconds) == (Decimal(50), True, None)


def test_at_a_price(book):
    found = stress_test(price=Decimal(40))
    assert (found.asked.fall, found.asked.sold) == (Decimal("0.2"), 1)
    assert stress_test(price=Decimal(60)).asked.fall == Decimal("-0.2")


def test_the_curve_goes_from_no_fall_to_sixty_percent_and_only_up(book):
    curve = stress_test(fall=Decimal(0)).curve
    assert [point.fall for point in curve] == [Decimal(percent) / 100 for percent in range(61)]
    assert [point.sold for point in curve] == sorted(point.sold for point in curve)
    assert curve[0].sold == 0
    assert curve[60].sold == 3
    assert curve[60].shortfall == 3640 - 20 * 120


def test_the_curve_asks_the_database_nothing(book, django_assert_num_queries):
    found = selectors.Book(selectors.books.newest())
    assert found.terms
    markets = selectors.markets()
    with django_assert_num_queries(0):
        assert len(selectors.curve(found, markets)) == 61


def test_a_test_takes_few_queries_however_many_loans_there_are(book, loan, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        stress_test(fall=Decimal("0.3"))
    for _ in range(10):
        loan(amount="1100")
    with django_assert_max_num_queries(15):
        stress_test(fall=Decimal("0.3"))


def test_the_table_of_the_overview(book):
    rows = selectors.table(Decimal(50))
    assert [row.fall for row in rows] == [Decimal("0.1"), Decimal("0.2"), Decimal("0.3"), Decimal("0.5")]
    assert [(row.price, row.called, row.sold) for row in rows] == [(45, 0, 1), (40, 1, 1), (35, 1, 2), (25, 0, 3)]
    assert rows[-1].shortfall == 440 + 200


def test_loans_of_several_terms_are_held_to_their_own(quote, loan):
    make_terms()
    quote("50")
    loan(amount="1550"), loan(amount="1550", terms_id=2)
    snapshot.take()
    asked = stress_test(fall=Decimal(0)).asked
    assert (asked.called, asked.sold) == (1, 1)


def test_units_are_sold_along_the_depth_of_both_markets(quote, loan):
    quote("50", "45", "45", "45")
    quote("48", "48", "48", "48", market=Market(list(Market)[1]))
    loan(amount="19200", collateral="400")
    snapshot.take()
    asked = stress_test(fall=Decimal(0)).asked
    # 1 at 50, 100 at 48, then 99 at 44.44…, what the first ten of Mos Espa say of nine: 200 units bring 9,250.
    assert asked.reached == Decimal("46.249999999999999999999999")
    assert (asked.units, asked.rounds) == (Decimal(400), 2)
    assert selectors.seconds_of_rounds(asked.rounds) == 10


def test_without_a_fresh_price_a_price_can_be_asked_for_but_no_fall(book, time_passes):
    time_passes(minutes=10)
    with pytest.raises(PriceUnknown):
        stress_test(fall=Decimal("0.3"))
    found = stress_test(price=Decimal(35))
    assert (found.asked.sold, found.asked.fall) == (2, None)
    assert (found.markets.price, found.markets.fresh, len(found.markets.curves)) == (None, False, 1)
    assert found.curve == []


def test_without_any_quote_all_is_sold_at_the_price_itself(loan):
    loan()
    snapshot.take()
    found = stress_test(price=Decimal(20))
    assert (found.asked.reached, found.asked.shortfall, found.asked.rounds) == (Decimal(20), Decimal(200), 0)


def test_before_the_first_snapshot_nothing_is_said(quote):
    quote("50")
    with pytest.raises(NoSnapshot):
        stress_test(price=Decimal(40))
    assert selectors.table(Decimal(50)) == []


def order(liquidation, sequence, *, units, ago, status=OrderStatus.FILLED):
    at = clock.now().replace(second=30) - timedelta(minutes=ago)
    figures = {"units_traded": units, "proceeds": 25 * units} if status == OrderStatus.FILLED else {}
    with history.cause("test", correlation_id="x"):
        TradeOrder.objects.create(
            liquidation=liquidation, sequence=sequence, market=Market.MOS_ESPA, request_id=f"order-{sequence}",
            quantity=units, quoted_unit_price=25, payload="{}", status=status, created_at=at, answered_at=at,
            due_at=at, **figures,
        )  # fmt: skip


def test_the_rate_of_fills_is_that_of_the_minutes_in_which_something_was_sold(claimed):
    assert selectors.fill_rate() is None
    liquidation = claimed()
    order(liquidation, 1, units=Decimal(100), ago=24 * 60 + 2)
    assert selectors.fill_rate() is None, "more than a day ago"
    for sequence, minute in ((2, 10), (3, 10), (4, 5)):
        order(liquidation, sequence, units=Decimal(6), ago=minute)
    order(liquidation, 5, units=Decimal(50), ago=4, status=OrderStatus.REFUSED)
    assert selectors.fill_rate() == Decimal("0.15")


def test_how_long_selling_takes_is_rounded_up():
    assert selectors.seconds_to_sell(Decimal(10), Decimal("0.15")) == 67
    assert selectors.seconds_to_sell(Decimal(0), Decimal("0.15")) == 0
    assert selectors.seconds_to_sell(Decimal(10), None) is None
    assert [selectors.seconds_of_rounds(rounds) for rounds in (0, 1, 2, 7)] == [0, 0, 10, 60]
