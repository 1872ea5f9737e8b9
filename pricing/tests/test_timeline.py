"""The best price over time, by example."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pricing import timeline as rules
from pricing.quotes import Level, holds_until
from pricing.tests.builders import BLACK_SPIRE, FRESHNESS, MOS_ESPA, at, courses, is_aside, points, quote, seen


def timeline(quotes, start=0.0, end=300.0, drained=300.0, aside=()):
    drained_to = None if drained is None else at(drained)
    return points(quotes, {MOS_ESPA: drained_to, BLACK_SPIRE: drained_to}, start, end, aside=aside)


def test_the_best_price_is_the_highest_of_the_live_quotes():
    a, b = quote(MOS_ESPA, 0, "50"), quote(BLACK_SPIRE, 10, "55")
    found = timeline([a, b])
    assert seen(found) == [(0, "50"), (10, "55"), (60, "55"), (70, None)]
    assert [p.quotes for p in found] == [(a,), (b, a), (b,), ()]


def test_before_the_first_quote_the_price_is_unknown():
    assert seen(timeline([quote(MOS_ESPA, 10, "50")], start=0, end=20)) == [(0, None), (10, "50")]


def test_the_first_point_lies_at_the_start():
    assert seen(timeline([quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 5, "40")], start=3, end=4)) == [(3, "50")]


def test_a_quote_holds_until_the_next_one_sent():
    quotes = [quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 30, "40"), quote(MOS_ESPA, 31, "60")]
    assert seen(timeline(quotes, end=60)) == [(0, "50"), (30, "40"), (31, "60")]


def test_an_older_quote_is_ignored_while_the_newer_is_fresh():
    quotes = [
        quote(MOS_ESPA, 0, "50", time=100),
        quote(MOS_ESPA, 10, "40", time=99),
        quote(MOS_ESPA, 70, "45", time=98),
    ]
    assert seen(timeline(quotes, end=80)) == [(0, "50"), (60, None), (70, "45")]


def test_equal_own_times_go_by_when_they_were_sent():
    quotes = [quote(MOS_ESPA, 10, "40", time=100), quote(MOS_ESPA, 0, "50", time=100)]
    assert seen(timeline(quotes, end=20)) == [(0, "50"), (10, "40")]


def test_of_quotes_sent_at_the_same_time_the_one_with_the_newest_own_time_is_current():
    quotes = [quote(MOS_ESPA, 0, "50", time=101), quote(MOS_ESPA, 0, "40", time=100)]
    assert seen(timeline(quotes, end=20)) == [(0, "50")]


def test_an_event_from_the_year_9999_outranks_its_market_only_while_it_is_fresh():
    far = quote(MOS_ESPA, 0, "90", time=250_000_000_000)
    usual = [quote(MOS_ESPA, second, str(second), time=second) for second in range(5, 100, 5)]
    assert seen(timeline([far, *usual], end=70)) == [(0, "90"), (60, "60"), (65, "65"), (70, "70")]


def test_a_market_whose_clock_runs_backwards_still_has_prices():
    quotes = [quote(MOS_ESPA, sent, "50", time=-sent) for sent in range(0, 300, 10)]
    assert seen(timeline(quotes, end=299)) == [(0, "50"), (60, "50"), (120, "50"), (180, "50"), (240, "50")]


@pytest.mark.parametrize(
    ("drained", "expiry"), [(None, 120), (59.999, 120), (60, 60), (500, 60)]
)  # fmt: skip
def test_a_quote_expires_at_the_maximum_age_only_if_its_queue_is_drained(drained, expiry):
    one = quote(MOS_ESPA, 0, "50")
    assert holds_until(one, None if drained is None else at(drained), FRESHNESS) == at(expiry)
    assert seen(timeline([one], drained=drained)) == [(0, "50"), (expiry, None)]


def test_a_quote_that_was_too_late_is_not_held_for_our_lag():
    assert holds_until(quote(MOS_ESPA, 0, "50", too_late=True), None, FRESHNESS) == at(60)


def test_a_curve_that_ends_before_the_reference_quantity_gives_no_price():
    shallow = quote(MOS_ESPA, 0, "90")
    deep = quote(BLACK_SPIRE, 0, "50", sell=(Level(Decimal(50), Decimal(50)),))
    (point,) = points([shallow, deep], {}, 1, 1, quantity=10)
    assert (point.price, point.quotes) == (Decimal(50), (deep, shallow))


def test_the_current_quote_is_the_last_effective_one_however_old():
    a, late = quote(MOS_ESPA, 0, "50", time=100), quote(MOS_ESPA, 10, "40", time=99)
    assert rules.effective_at(courses([late, a])[MOS_ESPA], at(500)) == a


def test_lows_are_the_suffix_minima():
    quotes = [
        quote(MOS_ESPA, sent, price)
        for sent, price in ((0, "50"), (1, "30"), (2, "40"), (3, "30"), (4, "45"), (5, "60"))
    ]
    assert seen(rules.successive_lows(timeline(quotes, end=6))) == [(3, "30"), (4, "45"), (5, "60")]


def test_the_last_low_is_the_last_point_only_if_its_price_is_known():
    assert seen(rules.successive_lows(timeline([quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 1, "60")]))) == [
        (0, "50"),
        (1, "60"),
    ]
    assert rules.successive_lows(timeline([])) == ()


def test_a_quote_that_was_too_late_is_no_low():
    quotes = [quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 10, "20", too_late=True), quote(MOS_ESPA, 20, "40")]
    assert seen(rules.successive_lows(timeline(quotes, end=30))) == [(20, "40")]


def test_the_worked_example_prices_a_unit_exactly():
    one = replace(quote(BLACK_SPIRE, 0, "31.25"), sent_at=at(0) + timedelta(milliseconds=1))
    assert timeline([one], start=1, end=1)[0].price == Decimal("31.25")


def test_prices_set_aside_count_for_nothing_from_one_edge_to_the_other():
    quotes = [quote(MOS_ESPA, 0, "50"), quote(BLACK_SPIRE, 0, "31")]
    aside = (is_aside(MOS_ESPA, 10, 20),)
    assert seen(timeline(quotes, end=30, aside=aside)) == [(0, "50"), (10, "31"), (20, "50")]
    both = (*aside, is_aside(BLACK_SPIRE, 15, 25))
    assert seen(timeline(quotes, end=30, aside=both)) == [(0, "50"), (10, "31"), (15, None), (20, "50"), (25, "50")]
    assert seen(timeline(quotes, start=10, end=12, aside=aside)) == [(10, "31")]
