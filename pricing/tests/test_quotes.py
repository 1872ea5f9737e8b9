"""The price of a quantity on a quote's curve, by example."""

from decimal import Decimal

import pytest

from pricing import quotes as rules
from pricing.quotes import Level

CURVE = (Level(Decimal(1), Decimal(100)), Level(Decimal(10), Decimal(91)), Level(Decimal(50), Decimal(51)))


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
