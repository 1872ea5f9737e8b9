"""Evaluations of an interval, read minute by minute: what is left out would have mattered to nobody."""

from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import history
from coruscant.controls.models import Control
from desk.replay.prices import RecordedPrices
from pricing.markets import Market
from pricing.tests.builders import at
from pricing.tests.rows import quote_row

pytestmark = pytest.mark.django_db


def row(sent, price, *, evaluated=None, market=Market.MOS_ESPA):
    """A quote that was evaluated a tenth of a second after it was sent."""
    return quote_row(market, sent, price, evaluated_at=at(sent + 0.1 if evaluated is None else evaluated))


def everything(prices, since, until, matters=lambda lowest, highest: True):
    return list(prices.between(at(since), at(until), matters))


def seconds(found):
    return [round((one.at - at(0)).total_seconds(), 3) for one in found]


def test_loans_were_evaluated_by_quotes_as_recorded_and_else_every_five_seconds():
    for sent in (0, 1, 2, 14):
        row(sent, "50")
    found = everything(RecordedPrices(at(0), at(16)), 0, 16)
    assert seconds(found) == [0.1, 1.1, 2.1, 7.1, 12.1, 14.1]
    assert [str(one.careful.price) for one in found] == ["50"] * 6


def test_minutes_that_matter_to_nobody_are_left_out_and_what_holds_in_them_bounds_their_prices():
    for minute, price in enumerate(("50", "30", "49", "48")):
        for second in (10, 20):
            row(minute * 60 + second, price, market=Market.BLACK_SPIRE_OUTPOST)
    prices = RecordedPrices(at(0), at(240))
    assert prices.lowest == 30
    every = everything(prices, 0, 240)
    asked = []

    def matters(lowest, highest):
        asked.append((lowest, highest))
        return lowest <= 40

    found = everything(prices, 0, 240, matters)
    assert {one.at for one in every if one.lows and one.lows[0].price <= 40} <= {one.at for one in found}
    for lowest, highest in asked:
        assert 30 <= lowest <= highest <= 50
    assert everything(prices, 0, 240, lambda lowest, _highest: lowest < 30) == []


def test_without_quotes_there_are_no_prices():
    prices = RecordedPrices(at(0), at(3600))
    assert prices.lowest is None
    assert everything(prices, 0, 3600) == []
    assert prices.careful_at(at(100)) is None
    assert list(prices.series(10)) == []


def test_an_interval_begins_and_ends_with_an_evaluation_if_one_is_near():
    for sent in (0, 10, 20):
        row(sent, "50")
    prices = RecordedPrices(at(6), at(12))
    assert (prices.start, prices.end) == (at(10.1), at(12))
    assert seconds(everything(prices, 0, 100)) == [10.1]


def test_the_careful_price_is_that_of_the_last_evaluation_before():
    row(0, "50"), row(10, "40"), row(100, "45")
    prices = RecordedPrices(at(0), at(130))
    assert [prices.careful_at(at(second)) for second in (0, 5, 10.05, 11, 69)] == [None, 50, 50, 40, 40]
    assert [prices.careful_at(at(second)) for second in (95, 101, 120)] == [None, 45, 45]


def test_a_price_is_followed_over_a_minute_in_which_nothing_was_sent():
    row(50, "50")
    row(0, "45", market=Market.BLACK_SPIRE_OUTPOST)
    prices = RecordedPrices(at(0), at(130))
    every = everything(prices, 0, 130)
    found = dict(zip(seconds(every), every, strict=True))
    assert found[50.1].careful.price == 50
    assert found[105.1].careful.price == 50
    assert found[110.1].careful is None


def test_a_quote_that_the_evaluations_of_a_whole_minute_overtook_counts_in_none_of_them():
    row(0, "50")
    row(55, "30", evaluated=125)
    every = everything(RecordedPrices(at(0), at(130)), 0, 130)
    found = dict(zip(seconds(every), every, strict=True))
    assert {found[second].careful.price for second in (60.1, 90.1, 115.1)} == {50}
    assert [(low.at, low.price) for low in found[125].lows] == [(at(55), Decimal(30))]


def test_evaluations_bound_a_minute_more_closely_than_its_quotes():
    """The worse market's price is no price of an evaluation, so whom only that would reach asks once."""
    for second in range(0, 60, 5):
        row(second, "50")
        row(second, "40", market=Market.BLACK_SPIRE_OUTPOST)
    prices = RecordedPrices(at(0), at(59))
    asked = []

    def matters(lowest, highest):
        asked.append((lowest, highest))
        return lowest <= 45

    everything(prices, 0.2, 59, matters)
    first, asked[:] = list(asked), []
    assert everything(prices, 0.2, 59, matters) == []
    assert (Decimal(40), Decimal(50)) in first
    assert asked == [(Decimal(50), Decimal(50))]


def test_pauses_and_prices_set_aside_are_read():
    row(0, "50")
    row(1, "30", market=Market.BLACK_SPIRE_OUTPOST)
    row(8, "30", market=Market.BLACK_SPIRE_OUTPOST)
    for kind, market in (("pause_claims", ""), ("set_aside", "mos_espa")):
        make_control(kind, market, 4, 6)
    prices = RecordedPrices(at(0), at(9))
    assert [(one.began_at, one.until) for one in prices.pauses] == [(at(4), at(6))]
    last = everything(prices, 0, 9)[-1]
    assert [(low.at, low.price) for low in last.lows] == [(at(4), Decimal(30)), (at(8), Decimal(50))]


def test_a_part_of_the_series_has_the_lowest_price_of_its_first_minute():
    row(0, "50"), row(5, "45"), row(10, "48"), row(65, "20")
    prices = RecordedPrices(at(0), at(120))
    assert [(instant - prices.start, price) for instant, price in prices.series(2)] == [
        (timedelta(0), Decimal(45)), (timedelta(seconds=59.95), Decimal(48)),
    ]  # fmt: skip


def make_control(kind, market, began, until):
    with history.cause("test", correlation_id="control"):
        Control.objects.create(
            kind=kind, market=market, began_at=at(began), until=at(until), why="to see", pulled_by="leia"
        )
