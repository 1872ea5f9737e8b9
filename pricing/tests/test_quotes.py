"""The best price over time, by example."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pricing import quotes as rules
from pricing.quotes import Level
from pricing.tests.builders import BLACK_SPIRE, FRESHNESS, MOS_ESPA, at, quote, seen

CURVE = (Level(Decimal(1), Decimal(100)), Level(Decimal(10), Decimal(91)), Level(Decimal(50), Decimal(51)))


def timeline(quotes, start=0.0, end=300.0, drained=300.0):
    drained_to = None if drained is None else at(drained)
    return rules.timeline(
        quotes,
        drained_to={MOS_ESPA: drained_to, BLACK_SPIRE: drained_to},
        freshness=FRESHNESS,
        reference_quantity=Decimal(1),
        start=at(start),
        end=at(end),
    )


@pytest.mark.parametrize(
    ("quantity", "price"),
    [
        ("0.5", "100"), ("1", "100"), ("2", "99"), ("10", "91"), ("30", "71"), ("50", "51"), ("50.1", None),
        ("1.000000000000000000000001", "99.999999999999999999999999"),
    ],
)  # fmt: skip
def test_the_price_is_linear_between_levels(quantity, price):
    assert rules.unit_price(CURVE, Decimal(quantity)) == (None if price is None else Decimal(price))


def test_a_price_between_levels_is_rounded_down_to_24_places():
    curve = (Level(Decimal(1), Decimal(2)), Level(Decimal(10), Decimal(1)))
    assert rules.unit_price(curve, Decimal(2)) == Decimal("1.888888888888888888888888")


def test_no_levels_give_no_price():
    assert rules.unit_price((), Decimal(1)) is None


def test_the_best_price_is_the_highest_of_the_live_quotes():
    a, b = quote(MOS_ESPA, 0, "50"), quote(BLACK_SPIRE, 10, "55")
    points = timeline([a, b])
    assert seen(points) == [(0, "50"), (10, "55"), (60, "55"), (70, None)]
    assert [p.quotes for p in points] == [(a,), (b, a), (b,), ()]


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
    assert rules.holds_until(one, None if drained is None else at(drained), FRESHNESS) == at(expiry)
    assert seen(timeline([one], drained=drained)) == [(0, "50"), (expiry, None)]


def test_a_quote_that_was_too_late_is_not_held_for_our_lag():
    assert rules.holds_until(quote(MOS_ESPA, 0, "50", too_late=True), None, FRESHNESS) == at(60)


def test_a_curve_that_ends_before_the_reference_quantity_gives_no_price():
    shallow = quote(MOS_ESPA, 0, "90")
    deep = quote(BLACK_SPIRE, 0, "50", sell=(Level(Decimal(50), Decimal(50)),))
    (point,) = rules.timeline(
        [shallow, deep], drained_to={}, freshness=FRESHNESS, reference_quantity=Decimal(10), start=at(1), end=at(1)
    )
    assert (point.price, point.quotes) == (Decimal(50), (deep, shallow))


def test_the_current_quote_is_the_last_effective_one_however_old():
    a, late = quote(MOS_ESPA, 0, "50", time=100), quote(MOS_ESPA, 10, "40", time=99)
    assert rules.current_quotes([late, a], FRESHNESS) == {MOS_ESPA: a}


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


def test_a_window_starts_at_the_earliest_unevaluated_quote():
    old, new, newer = quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 20, "50"), quote(BLACK_SPIRE, 10, "50")
    assert rules.window_start([old, new, newer], [new, newer], FRESHNESS) == at(10)


def test_a_window_starts_at_the_expiry_before_a_late_successor():
    old, new = quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 75, "50")
    ignored = quote(MOS_ESPA, 30, "50", time=-1)
    assert rules.window_start([old, ignored, new], [new], FRESHNESS) == at(60)


def test_a_window_starts_at_an_expiry_since_the_last_evaluation():
    expired, new = quote(MOS_ESPA, 0, "50"), quote(BLACK_SPIRE, 65, "50")
    assert rules.window_start([expired, new], [new], FRESHNESS) == at(65)
    assert rules.window_start([expired, new], [new], FRESHNESS, evaluated_to=at(59)) == at(60)
    assert rules.window_start([expired, new], [new], FRESHNESS, evaluated_to=at(60)) == at(65)


def test_the_worked_example_prices_a_unit_exactly():
    one = replace(quote(BLACK_SPIRE, 0, "31.25"), sent_at=at(0) + timedelta(milliseconds=1))
    assert timeline([one], start=1, end=1)[0].price == Decimal("31.25")
