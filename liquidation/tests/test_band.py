"""Which figures of a trade can be true."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquidation.band import within

THREE = Decimal(3)
prices = st.decimals("0.00000001", "1000000", places=8)


@pytest.mark.parametrize(
    ("units", "proceeds", "at", "true"),
    [
        ("100", "3100", ["31"], True),
        ("100", "1033.34", ["31"], True),
        ("100", "1033.33", ["31"], False),
        ("100", "9300", ["31"], True),
        ("100", "9300.01", ["31"], False),
        ("100", "31", ["31"], False),  # the price in place of the total
        ("100", "9300.01", ["31", "32"], True),  # another curve explains it
        ("100", "3100", [], False),
        ("0.01", "0.000001", ["31"], True),  # less than 1 GC was expected: rounding may be all of it
        ("0.01", "3", ["31"], True),
        ("0.01", "3.01", ["31"], False),
        ("0.00000001", "1000000000000000", ["31"], False),
    ],
)
def test_a_trade_is_true_within_the_band_of_a_price_that_was_offered(units, proceeds, at, true):
    assert within(Decimal(units), Decimal(proceeds), map(Decimal, at), THREE) is true


@given(units=st.decimals("0.00000001", "100", places=8), price=prices, others=st.lists(prices, max_size=3))
def test_what_was_offered_is_always_true_and_another_price_never_makes_it_false(units, price, others):
    assert within(units, units * price, [*others, price], THREE)
