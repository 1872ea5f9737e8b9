"""What each market's body is read as, and what is refused, by example."""

import json
from decimal import Decimal

import pytest

from pricing.feeds import FEEDS, black_spire_outpost, mos_espa
from pricing.feeds.event import ParsedQuote, Skipped, Unreadable
from pricing.markets import Market
from pricing.quotes import Level
from pricing.tests.builders import black_spire_event, mos_espa_event


def curve(*pairs):
    return tuple(Level(Decimal(quantity), Decimal(price)) for quantity, price in pairs)


def refused(parse, body, basis="unit"):
    with pytest.raises(Unreadable) as caught:
        parse(body if isinstance(body, str) else json.dumps(body), basis)
    assert str(caught.value)
    return str(caught.value)


def mos_espa_levels(*pairs):
    return [{"quantity": quantity, "buy": sell, "sell": sell} for quantity, sell in pairs]


def test_mos_espa_is_read_exactly():
    levels = [
        {"quantity": 10, "buy": "52.5", "sell": "49.10"},
        {"quantity": 1, "buy": "51", "sell": "50.000000000000000000000001", "more": None},
    ]
    body = json.dumps(mos_espa_event(levels=levels, timestamp="1970-01-02T00:00:00.5Z", unknown=[1]))
    assert mos_espa.parse(body) == ParsedQuote(
        event_id="e1",
        market_time=Decimal("86400.5"),
        sell=curve((1, "50.000000000000000000000001"), (10, "49.1")),
        buy=curve((1, "51"), (10, "52.5")),
    )


def test_black_spire_outpost_is_read_exactly():
    body = (
        '{"item":"STEEL:MANDALORIAN","time":-1.5e3,"buy":[],"sell":[{"amount":50,"price":31.25},'
        '{"amount":1,"price":0.1000000000000000055511}]}'
    )
    with pytest.raises(Unreadable, match="better"):
        black_spire_outpost.parse(body)
    assert black_spire_outpost.parse(body.replace("31.25", "1e-7")) == ParsedQuote(
        event_id=None,
        market_time=Decimal(-1500),
        sell=curve((1, "0.1000000000000000055511"), (50, "0.0000001")),
        buy=(),
    )


def test_other_items_are_skipped_unread():
    assert black_spire_outpost.parse('{"item":"STEEL:DURASTEEL","time":"never"}') == Skipped("STEEL:DURASTEEL")


def test_own_time_is_cut_off_after_twelve_decimals():
    body = json.dumps(black_spire_event()).replace("1000000", "1.1234567890129")
    assert black_spire_outpost.parse(body).market_time == Decimal("1.123456789012")


@pytest.mark.parametrize(("parse", "body"), [
    (mos_espa.parse, mos_espa_event(levels=[
        {"quantity": 1, "buy": "60", "sell": "50"}, {"quantity": 100, "buy": "6000", "sell": "4000"},
    ])),
    (black_spire_outpost.parse, black_spire_event(sell=[{"amount": 1, "price": 50}, {"amount": 100, "price": 4000}])),
])  # fmt: skip
def test_prices_of_the_whole_quantity_need_the_basis_total(parse, body):
    assert "price basis" in refused(parse, body)
    assert parse(json.dumps(body), "total").sell == curve((1, "50"), (100, "40"))


def test_a_total_that_gives_no_storable_unit_price_is_refused():
    body = mos_espa_event(levels=mos_espa_levels((100, "0.000000000000000000000001")))
    assert mos_espa.parse(json.dumps(body), "unit").sell == curve((100, "1e-24"))
    refused(mos_espa.parse, body, "total")


@pytest.mark.parametrize("deeper", ["49.96", "50", "50.05"])
def test_a_price_that_is_better_with_depth_by_no_more_than_rounding_is_read(deeper):
    body = mos_espa_event(levels=mos_espa_levels((1, "50"), (10, deeper)))
    assert mos_espa.parse(json.dumps(body)).sell == curve((1, "50"), (10, deeper))


def test_a_price_that_is_better_with_depth_by_more_is_refused():
    reason = refused(mos_espa.parse, mos_espa_event(levels=mos_espa_levels((1, "50"), (10, "50.051"))))
    assert reason.startswith("the sell price of 10 units is more than 0.1% better than that of 1")


def test_cheaper_to_buy_with_depth_is_refused_too():
    levels = [{"quantity": 1, "buy": "50", "sell": "49"}, {"quantity": 10, "buy": "47", "sell": "48"}]
    assert "buy" in refused(mos_espa.parse, mos_espa_event(levels=levels))


@pytest.mark.parametrize("changes", [
    {"eventId": ""}, {"eventId": 7}, {"eventId": None}, {"eventId": "x" * 257}, {"eventId": "a\x00b"},
    {"eventId": "\ud800"},
    {"asset": "STEEL"}, {"asset": None}, {"currency": "USD"}, {"currency": ["GC"]},
    {"timestamp": 5}, {"timestamp": "yesterday"}, {"timestamp": None},
    {"levels": []}, {"levels": None}, {"levels": {}}, {"levels": [1]}, {"levels": mos_espa_levels((1, "5"), (1, "5"))},
    {"levels": mos_espa_levels((1, "5")) * 5}, {"levels": [{"quantity": 1, "sell": "5"}]},
    {"levels": [{"quantity": 1, "buy": "5"}]}, {"levels": [{"buy": "5", "sell": "5"}]},
])  # fmt: skip
def test_mos_espa_refuses_a_bad_field(changes):
    refused(mos_espa.parse, mos_espa_event(**changes))


@pytest.mark.parametrize("key", ["eventId", "asset", "currency", "timestamp", "levels"])
def test_mos_espa_refuses_a_missing_field(key):
    event = mos_espa_event()
    del event[key]
    refused(mos_espa.parse, event)


@pytest.mark.parametrize("quantity", [2, 0, -1, 1.5, "1", True, None, 10**80])
def test_only_the_four_quantities_are_read(quantity):
    refused(mos_espa.parse, mos_espa_event(levels=mos_espa_levels((quantity, "5"))))


@pytest.mark.parametrize(
    "price", ["0", "-1", "NaN", "Infinity", "", " 5", "1_0", "1e30", "9" * 21, "0." + "0" * 24 + "1", 5, None, True]
)
def test_mos_espa_refuses_a_price(price):
    refused(mos_espa.parse, mos_espa_event(levels=mos_espa_levels((1, price))))


@pytest.mark.parametrize(
    "price",
    [
        "0",
        "-1",
        "-0.0",
        "NaN",
        "Infinity",
        "-Infinity",
        '"5"',
        "null",
        "true",
        "1e30",
        "1e99999",
        "1e-99999",
        "9" * 21,
        "9" * 5000,
        "1e-25",
        "1e999999999999999999999",
    ],
)
def test_black_spire_outpost_refuses_a_price(price):
    body = json.dumps(black_spire_event(price=424242)).replace("424242", price)
    refused(black_spire_outpost.parse, body)


@pytest.mark.parametrize("changes", [
    {"item": None}, {"item": ""}, {"item": 5}, {"time": "5"}, {"time": None}, {"time": True}, {"time": 10**28},
    {"time": 1e40},
    {"sell": []}, {"sell": None}, {"buy": None}, {"buy": "x"}, {"sell": [[1, 5]]},
])  # fmt: skip
def test_black_spire_outpost_refuses_a_bad_field(changes):
    refused(black_spire_outpost.parse, black_spire_event(**changes))


@pytest.mark.parametrize("body", [
    "", "null", "[]", '"x"', "5", "{", "{}", "NaN", "\ufeff{}", "[" * 60_000, '{"a":' * 10_000, " " * 70_000,
    '{"item":"STEEL:MANDALORIAN","item":"X"}', '{"a":{"b":1,"b":2}}', "\ud800", "\x00",
])  # fmt: skip
@pytest.mark.parametrize("market", list(Market))
def test_what_is_no_event_is_unreadable(market, body):
    refused(FEEDS[market].parse, body)
