"""The price of a quantity on a quote's curve, and which quote is the cause of the cautious price, by example."""

from decimal import Decimal

import pytest

from pricing import quotes as rules
from pricing.quotes import Level, PricePoint
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, T0, quote

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


def test_the_quote_whose_price_is_the_cautious_one_comes_first_with_what_confirmed_it():
    high, low = quote(MOS_ESPA, 0, "50"), quote(BLACK_SPIRE, 1, "20")
    point = PricePoint(T0, Decimal(50), (high, low), lower=Decimal(20), disputed=True, confirmed_by=("a", "b"))
    careful = point.cautious_for(Decimal(1))
    assert (careful.price, careful.lower, careful.disputed) == (20, None, True)
    assert (careful.quotes, careful.confirmed_by) == ((low, high), ("b", "a"))
    assert careful.correlation_id == f"black_spire_outpost:{low.reference}"
    assert point.correlation_id == f"mos_espa:{high.reference}"


def test_which_quote_is_the_cautious_one_is_asked_of_the_quantity_that_the_price_is_for():
    high = quote(MOS_ESPA, 0, "50", sell=(Level(Decimal(1), Decimal(20)), Level(Decimal(10), Decimal(50))))
    low = quote(BLACK_SPIRE, 1, "20", sell=(Level(Decimal(1), Decimal(50)), Level(Decimal(10), Decimal(20))))
    point = PricePoint(T0, Decimal(50), (high, low), lower=Decimal(20))
    assert point.cautious_for(Decimal(10)).quotes == (low, high)


def test_a_pending_jump_may_be_the_cautious_quote():
    effective, jump, rise = quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 1, "20"), quote(BLACK_SPIRE, 1, "100")
    point = PricePoint(T0, Decimal(50), (effective,), lower=Decimal(20), pending=(rise, jump), confirmed_by=("a",))
    careful = point.cautious_for(Decimal(1))
    assert (careful.quotes, careful.confirmed_by, careful.pending) == ((jump, effective), ("", "a"), (rise, jump))


def test_where_one_price_decides_everything_the_point_is_the_same():
    point = PricePoint(T0, Decimal(50), (quote(MOS_ESPA, 0, "50"), quote(BLACK_SPIRE, 0, "49")))
    assert point.cautious_for(Decimal(1)) is point
