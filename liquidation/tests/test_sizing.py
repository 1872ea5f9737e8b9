"""How many units are sold, and where: never less than needed, never a step more, never beyond what is known."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from liquidation.sizing import Bounds, Choice, VenueCurve, choose, quantity_to_sell
from pricing.markets import Market
from pricing.quotes import Level, unit_price

STEP = Decimal("0.00000001")
BOUNDS = Bounds(step=STEP, max_quantity=Decimal(100))


def curve(*prices):
    return tuple(Level(Decimal(q), Decimal(p)) for q, p in zip((1, 10, 50, 100), prices, strict=False))


def size(levels, owed, available="1000", bounds=BOUNDS):
    return quantity_to_sell(levels, owed=Decimal(owed), available=Decimal(available), bounds=bounds)


def test_below_the_first_level_the_price_is_flat():
    assert size(curve(50, 49, 48, 47), "25") == Decimal("0.5")


def test_a_quantity_is_rounded_up_to_the_step():
    assert size(curve(30, 30, 30, 30), "10") == Decimal("0.33333334")


def test_a_level_is_hit_exactly():
    assert size(curve(50, 49, 48, 47), "490") == 10


def test_between_levels_the_unit_price_is_linear():
    quantity = size(curve(50, 40, 40, 40), "200")
    # q·(50 − 10·(q − 1)/9) = 200 has its smaller root at 4.3988…
    price = Decimal(50) - Decimal(10) * (quantity - 1) / 9
    assert quantity * price >= 200
    assert (quantity - STEP) * (Decimal(50) - Decimal(10) * (quantity - STEP - 1) / 9) < 200


def test_what_one_order_cannot_cover_is_sold_up_to_the_last_level():
    assert size(curve(50, 49, 48, 47), "1000000") == 100
    assert size(curve(50, 49), "1000000") == 10


def test_the_ceiling_and_the_collateral_bound_an_order():
    assert size(curve(50, 49, 48, 47), "1000000", bounds=Bounds(STEP, Decimal(20))) == 20
    assert size(curve(50, 49, 48, 47), "1000000", available="7.123456789") == Decimal("7.12345678")


def test_less_than_a_step_of_collateral_sells_nothing():
    assert size(curve(50, 49, 48, 47), "10", available="0.000000009") == 0


def test_more_units_are_not_sold_where_they_bring_less_money():
    # Beyond 10 units the price collapses: 100 units would bring less than 10.
    quantity = size(curve(50, 50, "0.1", "0.05"), "1000000")
    assert 10 <= quantity < 50
    assert quantity * unit_price(curve(50, 50, "0.1", "0.05"), quantity) >= 500


@st.composite
def curves(draw):
    price = draw(st.decimals("0.0001", "100000", places=6))
    drops = draw(st.lists(st.decimals("0.90", "1", places=4), min_size=3, max_size=3))
    prices = [price]
    for drop in drops:
        prices.append(prices[-1] * drop)
    return curve(*prices[: draw(st.integers(1, 4))])


@given(curves(), st.decimals("0.000001", "1000000", places=6), st.decimals("0.0000001", "500", places=10))
def test_the_quantity_is_the_smallest_that_covers_what_is_owed(levels, owed, available):
    quantity = size(levels, owed, available)
    ceiling = min(available, levels[-1].quantity, BOUNDS.max_quantity)
    assert 0 <= quantity <= ceiling
    assert quantity % STEP == 0
    expected = Fraction(quantity) * Fraction(unit_price(levels, quantity)) if quantity else Fraction(0)
    if quantity and expected >= owed:
        assume(quantity > STEP)
        less = quantity - STEP
        price_below = _exact_unit_price(levels, less)
        assert Fraction(less) * price_below < owed, "one step less would have been enough"
    elif quantity:
        assert quantity > ceiling - STEP, "what does not cover the balance sells all that may be sold"


def _exact_unit_price(levels, quantity):
    previous = None
    for level in levels:
        if quantity <= level.quantity:
            if previous is None:
                return Fraction(level.unit_price)
            share = Fraction(quantity - previous.quantity) / Fraction(level.quantity - previous.quantity)
            return Fraction(previous.unit_price) + share * (Fraction(level.unit_price) - Fraction(previous.unit_price))
        previous = level
    raise AssertionError("beyond the last level")


GOOD = VenueCurve(Market.MOS_ESPA, curve(51, 50, 49, 48), fresh=True)
WORSE = VenueCurve(Market.BLACK_SPIRE_OUTPOST, curve(50, 49, 48, 47), fresh=True)
STALE = VenueCurve(Market.MOS_ESPA, curve(90, 89, 88, 87), fresh=False)


def pick(*venues, owed="100", available="1000", avoid=None):
    return choose(venues, owed=Decimal(owed), available=Decimal(available), bounds=BOUNDS, avoid=avoid)


def test_the_better_price_wins():
    assert pick(WORSE, GOOD).market is Market.MOS_ESPA


def test_depth_counts_not_the_first_level():
    shallow = VenueCurve(Market.MOS_ESPA, curve(60, 30, 20, 10), fresh=True)
    assert pick(shallow, WORSE, owed="450").market is Market.BLACK_SPIRE_OUTPOST


def test_a_venue_that_keeps_refusing_is_passed_over_unless_it_is_the_only_one():
    assert pick(GOOD, WORSE, avoid=Market.MOS_ESPA).market is Market.BLACK_SPIRE_OUTPOST
    assert pick(GOOD, avoid=Market.MOS_ESPA).market is Market.MOS_ESPA


def test_a_fresh_price_goes_before_a_better_stale_one():
    assert pick(STALE, WORSE).market is Market.BLACK_SPIRE_OUTPOST


def test_on_a_stale_price_only_a_quarter_is_ordered():
    assert pick(STALE, owed="90") == Choice(Market.MOS_ESPA, Decimal("0.25"), Decimal(90))


def test_without_curves_or_collateral_nothing_is_ordered():
    assert pick() is None
    assert pick(GOOD, available="0.000000001") is None
    assert pick(VenueCurve(Market.MOS_ESPA, (), fresh=True)) is None
