"""Price at risk rests on snapshots, is computed anew in place, and says when there is too little history."""

from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock
from desk.book import snapshot
from desk.models import BookSnapshot, PriceAtRisk
from desk.stress import price_at_risk, selectors

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def book(loan, quote):
    """A loan of 36 GC a unit, at a price of 50."""
    quote("50")
    loan(amount="1440")
    snapshot.take()


def record(count, **period):
    """So many snapshots before now, a period apart, each after a fall from 50 to 40 and back."""
    now = clock.now().replace(second=30)
    BookSnapshot.objects.bulk_create(
        BookSnapshot(
            taken_at=now - number * timedelta(**period), milliseconds=1, price=50,
            lowest_price=40, loans=0, outstanding_balance=0, collateral=0, buckets={},
        )
        for number in range(1, count + 1)
    )  # fmt: skip


def test_before_there_is_enough_history_it_says_how_much_there_is(book):
    record(100, minutes=1)
    price_at_risk.compute()
    hour, hour_99, day, day_99 = price_at_risk.latest()
    assert [(row.hours, row.percent) for row in (hour, hour_99, day, day_99)] == [(1, 95), (1, 99), (24, 95), (24, 99)]
    assert hour.history == timedelta(minutes=99) or hour.history == timedelta(minutes=100)
    assert (hour.history_needed, day.history_needed) == (timedelta(hours=3), timedelta(hours=72))
    assert (hour.fall, hour.price, hour.shortfall, day.fall) == (None, None, None, None)


def test_the_falls_of_recorded_prices_and_what_they_would_do(book):
    record(300, minutes=1)
    price_at_risk.compute()
    hour, hour_99, day, _day_99 = price_at_risk.latest()
    assert hour.fall == hour_99.fall == Decimal("0.2"), "to 40, and never lower"
    assert (hour.price, hour.called, hour.sold, hour.owed) == (Decimal(40), 0, 1, Decimal(1440))
    assert (hour.units, hour.shortfall) == (Decimal(36), Decimal(0))
    assert day.fall is None


def test_falls_within_a_day_rest_on_hours(book):
    record(80, hours=1)
    price_at_risk.compute()
    _hour, _hour_99, day, day_99 = price_at_risk.latest()
    assert day.fall == day_99.fall == Decimal("0.2")
    assert timedelta(hours=78) <= day.history <= timedelta(hours=80)


def test_it_is_computed_anew_in_place_and_the_same_again(book):
    record(300, minutes=1)
    price_at_risk.compute()
    first = PriceAtRisk.objects.values("pk", "fall", "owed")
    before = list(first)
    price_at_risk.compute()
    assert list(first.all()) == before
    assert PriceAtRisk.objects.count() == 4


def test_nothing_is_computed_without_a_price_or_a_snapshot(quote, time_passes):
    price_at_risk.compute()
    quote("50")
    price_at_risk.compute()
    snapshot.take()
    time_passes(minutes=10)
    price_at_risk.compute()
    assert price_at_risk.latest() == []


def test_the_effect_is_that_of_the_stress_test(book):
    record(300, minutes=1)
    price_at_risk.compute()
    row = price_at_risk.latest()[0]
    asked = selectors.stress_test(fall=row.fall).asked
    assert (row.price, row.sold, row.units, row.shortfall) == (asked.price, asked.sold, asked.units, asked.shortfall)
