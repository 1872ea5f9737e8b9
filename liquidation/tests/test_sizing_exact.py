"""No order is ever a step larger than it need be: against a literal reading of the curve in fractions.

Curves of any shape: falling, rising, collapsing, and so deep that more units bring less money.
"""

from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from coruscant.tests.exactness import proof
from liquidation.sizing import Bounds, quantity_to_sell
from pricing.quotes import Level

TINY = Decimal("1e-24")
WIDE = Context(prec=200)


@st.composite
def prices(draw):
    """A unit price of up to 44 digits, more often of a few."""
    if draw(st.booleans()):
        return draw(st.decimals("0.0001", "1000", places=draw(st.integers(0, 6))).filter(bool))
    digits = draw(st.integers(1, 44))
    return Decimal(draw(st.integers(1, 10**digits - 1))).scaleb(-24, WIDE)


@st.composite
def curves(draw):
    """One to four levels at the published quantities, or at any others."""
    usual = st.sampled_from([(1, 10, 50, 100), (1, 2, 3, 4)])
    quantities = draw(usual | st.sets(st.integers(1, 400), min_size=4, max_size=4).map(lambda few: tuple(sorted(few))))
    count = draw(st.integers(1, 4))
    first = draw(prices())
    shares = draw(st.lists(st.sampled_from(["0.999", "0.9", "1", "1.1", "0.5", "0.03"]), min_size=3, max_size=3))
    following = [first]
    for share in shares:
        following.append(
            draw(prices()) if draw(st.integers(0, 4)) == 0 else WIDE.multiply(following[-1], Decimal(share))
        )
    stored = [max(TINY, price.quantize(TINY, context=WIDE)) for price in following]
    return tuple(Level(Decimal(q), price) for q, price in zip(quantities[:count], stored, strict=False))


@st.composite
def orders(draw):
    """A curve, a grid, what is owed, and what there is to sell; often owed to the digit what some quantity brings."""
    levels = draw(curves())
    step = Decimal(draw(st.sampled_from(["1", "0.25", "0.3", "0.00000001"])))
    available = Decimal(draw(st.integers(1, 450 * 10**8))).scaleb(-8)
    if draw(st.booleans()):
        quantity = step * draw(st.integers(1, int(levels[-1].quantity / step) or 1))
        brings = proceeds(levels, min(quantity, levels[-1].quantity))
        owed = Decimal(ceil(brings * 10**24)).scaleb(-24, WIDE) + draw(st.integers(-2, 2)) * TINY
    else:
        owed = draw(prices()) * draw(st.integers(1, 100))
    bounds = Bounds(step, Decimal(draw(st.sampled_from(["100", "7", "1000"]))))
    return levels, max(TINY, owed), available, bounds


def proceeds(levels, quantity):
    """q × the unit price of q, exactly: linear between levels, flat below the first."""
    quantity = Fraction(quantity)
    if quantity <= levels[0].quantity:
        return quantity * Fraction(levels[0].unit_price)
    for low, high in pairwise(levels):
        if quantity <= high.quantity:
            share = (quantity - Fraction(low.quantity)) / Fraction(high.quantity - low.quantity)
            low_price, high_price = Fraction(low.unit_price), Fraction(high.unit_price)
            return quantity * (low_price + share * (high_price - low_price))
    raise AssertionError("beyond the last level")


def most(levels, limit: int, step: Fraction):
    """The most that any of 1 to `limit` steps brings: at the ends of a span, or next to the vertex of its parabola."""
    candidates = {limit, *(floor(Fraction(level.quantity) / step) for level in levels)}
    candidates |= {candidate + 1 for candidate in candidates}
    for low, high in pairwise(levels):
        slope = Fraction(high.unit_price - low.unit_price) / Fraction(high.quantity - low.quantity)
        if slope:
            vertex = (slope * Fraction(low.quantity) - Fraction(low.unit_price)) / (2 * slope)
            candidates |= {floor(vertex / step), ceil(vertex / step)}
    return max((proceeds(levels, n * step) for n in candidates if 1 <= n <= limit), default=Fraction(0))


@proof(400)
@given(orders())
def test_an_order_covers_what_is_owed_and_one_step_less_would_not(order):
    levels, owed, available, bounds = order
    quantity = quantity_to_sell(levels, owed=owed, available=available, bounds=bounds)
    step = Fraction(bounds.step)
    ceiling = floor(Fraction(min(available, bounds.max_quantity, levels[-1].quantity)) / step)
    steps = Fraction(quantity) / step
    assert steps.denominator == 1
    assert 0 <= steps <= ceiling
    best = most(levels, ceiling, step)
    if best >= Fraction(owed):
        assert proceeds(levels, quantity) >= Fraction(owed)
        assert most(levels, int(steps) - 1, step) < Fraction(owed), "fewer units would have been enough"
    else:
        brings = proceeds(levels, quantity) if quantity else Fraction(0)
        assert brings == best, "what cannot cover the balance brings the most there is"
        assert most(levels, int(steps) - 1, step) < best or not quantity
