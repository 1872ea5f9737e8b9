"""What both markets pay at once, and what that is on the average."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from coruscant.tests.exactness import examples
from desk.stress.depth import Depth, depth_at
from pricing.quotes import Level

ONE = Decimal(1)


def levels(*pairs):
    return tuple(Level(Decimal(quantity), Decimal(price)) for quantity, price in pairs)


#: 10 units at 50 each, 20 at 45 each: the second ten bring 400, 40 each.
FALLING = levels((10, 50), (20, 45))


def test_a_curve_becomes_steps_that_bring_what_its_quantities_say():
    assert depth_at([FALLING], Decimal(50), ONE).steps == levels((10, 50), (10, 40))


def test_the_steps_of_both_markets_are_taken_from_the_dearest_on():
    depth = depth_at([FALLING, levels((5, 48), (10, 46))], Decimal(50), ONE)
    assert depth.steps == levels((10, 50), (5, 48), (5, 44), (10, 40))
    assert depth.units == 30


def test_after_a_fall_the_whole_depth_is_scaled_by_it():
    assert depth_at([FALLING], Decimal(25), ONE).steps == levels((10, 25), (10, 20))
    thirds = depth_at([levels((1, 3), (2, 3))], Decimal(1), ONE)
    assert thirds.steps == levels((1, 1), (1, 1))


def test_the_average_goes_down_along_the_steps_and_stays_once_all_is_taken():
    depth = depth_at([FALLING], Decimal(50), ONE)
    averages = {0: "50", 5: "50", 10: "50", 15: "46.666666666666666666666666", 20: "45", 21: "45", 1000: "45"}
    assert {units: depth.average(Decimal(units)) for units in averages} == {
        units: Decimal(price) for units, price in averages.items()
    }


def test_a_step_never_pays_more_than_the_one_before_and_ends_where_more_units_bring_nothing():
    assert depth_at([levels((10, 50), (20, 55))], Decimal(50), ONE).steps == levels((10, 50), (10, 50))
    assert depth_at([levels((10, 50), (20, 25), (30, 50))], Decimal(50), ONE).steps == levels((10, 50))


def test_there_is_no_depth_without_a_price_of_the_reference_quantity():
    assert depth_at([], ONE, ONE) == Depth(())
    assert depth_at([FALLING], ONE, Decimal(21)) == Depth(())
    assert depth_at([FALLING], Decimal("1e-24"), ONE).steps == levels((10, "1e-24"))


@examples(100)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.decimals("0.01", 100, places=2)), min_size=1, max_size=4),
    st.decimals("0.01", 100, places=2),
    st.lists(st.decimals(0, 300, places=3), min_size=2, max_size=2),
)
def test_more_units_never_bring_a_better_average(widths, price, quantities):
    quantity, curve = Decimal(0), []
    for width, unit_price in widths:
        quantity += width
        curve.append(Level(quantity, unit_price))
    depth = depth_at([tuple(curve), FALLING], price, ONE)
    fewer, more = sorted(quantities)
    assert depth.average(fewer) >= depth.average(more) > 0
