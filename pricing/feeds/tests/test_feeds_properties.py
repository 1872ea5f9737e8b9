"""Whatever a market sends: a quote within bounds, another item, or Unreadable. Never anything else."""

import json
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coruscant import money
from pricing.feeds import FEEDS
from pricing.feeds.envelope import unwrap
from pricing.feeds.event import QUANTITIES, ParsedQuote, Skipped, Unreadable
from pricing.markets import Market
from pricing.tests.builders import black_spire_event, mos_espa_event

numbers = st.integers() | st.floats() | st.sampled_from([1, 10, 50, 100, 0, -1, 10**30])
scalars = (
    st.none()
    | st.booleans()
    | numbers
    | st.text()
    | st.sampled_from(["5", "1e-7", "NaN", "Infinity", "\ud800", "\x00"])
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
levels = st.lists(
    st.dictionaries(st.sampled_from(["quantity", "amount", "buy", "sell", "price"]), scalars, max_size=4) | anything,
    max_size=5,
)
keys = [
    "eventId",
    "asset",
    "currency",
    "timestamp",
    "levels",
    "item",
    "time",
    "buy",
    "sell",
    "Type",
    "Message",
    "TopicArn",
]
damage = st.dictionaries(st.sampled_from(keys), levels | anything, max_size=3)
market = st.sampled_from(list(Market))
basis = st.sampled_from(["unit", "total"])


def check(which, body, basis):
    try:
        read = FEEDS[which].parse(unwrap(body), basis)
    except Unreadable:
        return
    assert isinstance(read, ParsedQuote | Skipped)
    if isinstance(read, ParsedQuote):
        assert read.sell
        assert abs(read.market_time) < Decimal(10) ** 28
        assert read.market_time == money.round_down(read.market_time, 12)
        for level in (*read.sell, *read.buy):
            assert level.quantity in QUANTITIES
            assert level.unit_price > 0
            assert money.fits(level.unit_price)


@settings(deadline=None, max_examples=60)
@given(market, st.binary(max_size=300), basis)
@example(Market.MOS_ESPA, b"\xff\x00", "unit")
def test_any_bytes_are_a_quote_another_item_or_unreadable(which, raw, basis):
    check(which, raw.decode(errors="surrogateescape"), basis)
    check(which, raw.decode("latin-1"), basis)


@settings(deadline=None, max_examples=60)
@given(market, anything, basis)
def test_any_json_is_a_quote_another_item_or_unreadable(which, value, basis):
    check(which, json.dumps(value), basis)


@settings(deadline=None, max_examples=80)
@given(market, damage, st.sampled_from([json.dumps, lambda value: json.dumps(value, ensure_ascii=False)]), basis)
def test_any_damaged_event_is_a_quote_another_item_or_unreadable(which, changes, dump, basis):
    event = mos_espa_event() if which is Market.MOS_ESPA else black_spire_event()
    check(which, dump(event | changes), basis)


@settings(deadline=None, max_examples=60)
@given(market, st.data(), basis)
def test_any_cut_or_changed_body_is_a_quote_another_item_or_unreadable(which, data, basis):
    body = json.dumps(mos_espa_event() if which is Market.MOS_ESPA else black_spire_event())
    begin, end = sorted((data.draw(st.integers(0, len(body))), data.draw(st.integers(0, len(body)))))
    check(which, body[:begin] + data.draw(st.text(max_size=5)) + body[end:], basis)


@pytest.mark.parametrize("text", ["9" * 5000, "1e" + "9" * 5000, "0." + "9" * 5000, "-" + "9" * 5000])
def test_no_number_is_expanded(text):
    with pytest.raises(Unreadable):
        FEEDS[Market.BLACK_SPIRE_OUTPOST].parse(
            f'{{"item":"STEEL:MANDALORIAN","time":{text},"buy":[],"sell":[]}}', "unit"
        )
