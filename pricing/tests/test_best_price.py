"""The best price now, and each market's last curve."""

from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock
from pricing import best_price
from pricing.quotes import Level
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at
from pricing.tests.rows import drain, quote_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_without_any_quote_the_price_is_unknown_and_there_are_no_curves(moving_clock):
    assert best_price.current().price is None
    assert best_price.refresh().quotes == ()
    assert best_price.snapshot().curves(clock.now()) == {}


def test_the_best_live_quote_is_the_price(moving_clock):
    quote_row(MOS_ESPA, -10, "50")
    best = quote_row(BLACK_SPIRE, -20, "55.5")
    point = best_price.current()
    assert (point.at, point.price, point.quotes[0].id) == (at(-10), Decimal("55.5"), best.pk), "where it began"
    assert point == best_price.refresh()


def test_the_row_of_another_query_is_read_in_the_same_statement(moving_clock, django_assert_num_queries):
    for number in range(3):
        with django_assert_num_queries(1):
            found = best_price.current_with_row("SELECT %(one)s::int AS id, 'two' AS market", {"one": number})
        assert found == (best_price.refresh(), (number, "two"))
        quote_row((MOS_ESPA, BLACK_SPIRE)[number % 2], number, "50")


def test_curves_are_the_last_of_each_market_stale_or_not(moving_clock):
    quote_row(MOS_ESPA, -900, "60", sell=[["1", "60"]])
    quote_row(MOS_ESPA, -500, "40", sell=[["1", "40"], ["50", "36.5"]])
    drain(0)
    found = best_price.snapshot().curves(clock.now())
    assert list(found) == [MOS_ESPA]
    curve = found[MOS_ESPA]
    assert curve.levels == (Level(Decimal(1), Decimal(40)), Level(Decimal(50), Decimal("36.5")))
    assert (curve.market, curve.fresh, curve.sent_at) == (MOS_ESPA, False, at(-500))


def test_the_clock_is_the_databases():
    now = clock.now()
    quote_row(MOS_ESPA, 0, "50", sent_at=now - timedelta(seconds=1))
    assert best_price.current().price == 50
    with clock.driven_by(lambda: now + timedelta(hours=1)):
        assert best_price.current().price is None


def test_the_curve_of_a_market_that_does_not_count_is_not_fresh(moving_clock):
    quote_row(BLACK_SPIRE, -3, "31")
    for sent, price in ((-3, "31"), (-2, "5000"), (-1, "5000")):
        quote_row(MOS_ESPA, sent, price)
    found = best_price.snapshot().curves(clock.now())
    assert (found[MOS_ESPA].fresh, found[BLACK_SPIRE].fresh) == (False, True)
    assert best_price.current().price == 31
