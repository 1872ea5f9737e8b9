"""What a price does to a book, by example: docs/stress-test.md has the same one."""

from decimal import Decimal

from desk.book.buckets import Sums
from desk.stress import rules
from desk.stress.depth import Depth
from loans.risk import Thresholds
from pricing.quotes import Level

TERMS = {1: Thresholds(Decimal("0.5"), Decimal("0.7"), Decimal("0.6"), Decimal("0.8"))}
#: Debt and collateral of three loans: 25, 40 and 48 GC a unit.
LOANS = ((1000, 40), (1200, 30), (960, 20))
DEEP = Depth((Level(Decimal(1000), Decimal(45)),))
SHALLOW = Depth((Level(Decimal(10), Decimal(45)), Level(Decimal(40), Decimal(40))))


def at_or_above(bounds):
    found = [(owed, units) for owed, units in LOANS if owed >= bounds[1] * units]
    return Sums(len(found), Decimal(sum(owed for owed, _ in found)), Decimal(sum(units for _, units in found)))


def test_loans_are_counted_at_the_stage_they_reach():
    found = rules.outcome(at_or_above, TERMS, Decimal(50), DEEP)
    assert (found.called, found.sold, found.owed) == (0, 2, Decimal(2160))
    found = rules.outcome(at_or_above, TERMS, Decimal(34), DEEP)
    assert (found.called, found.sold) == (1, 2)
    found = rules.outcome(at_or_above, TERMS, Decimal("31.25"), DEEP)
    assert (found.called, found.sold) == (0, 3), "80 % is reached exactly"


def test_a_loan_under_water_loses_all_its_collateral_and_another_as_much_as_it_owes():
    """At 45: 1200 GC are 26.66… units; 960 GC are more than 20 units bring, by 60 GC."""
    found = rules.outcome(at_or_above, TERMS, Decimal(50), DEEP)
    assert found.reached == Decimal(45)
    assert found.units == Decimal("46.666666666666666666666667")
    assert (found.proceeds, found.shortfall) == (Decimal(2100), Decimal(60))
    assert (found.collateral, found.rounds) == (Decimal(50), 1)


def test_the_price_reached_is_the_one_at_which_its_own_units_are_sold():
    """Ten units bring 45 each, the others 40: so p·(20 + 1200/p) = 450 + 40·(10 + 1200/p), which is so at 41.015."""
    found = rules.outcome(at_or_above, TERMS, Decimal(50), SHALLOW)
    again = SHALLOW.average(found.units)
    assert Decimal("41.01507") < found.reached < Decimal("41.01509")
    assert Decimal(0) <= found.reached - again <= rules.TOLERANCE * found.reached
    assert found.shortfall == 960 - 20 * found.reached
    assert found.proceeds + found.shortfall == found.owed
    assert found.rounds == 1


def test_more_than_the_depth_is_sold_in_rounds_at_its_average():
    little = Depth((Level(Decimal(8), Decimal(45)), Level(Decimal(8), Decimal(43))))
    found = rules.outcome(at_or_above, TERMS, Decimal(50), little)
    assert found.reached == Decimal(44)
    assert (found.units, found.rounds) == (Decimal("47.272727272727272727272728"), 3)


def test_without_any_depth_all_is_sold_at_the_price_itself():
    found = rules.outcome(at_or_above, TERMS, Decimal(50), Depth(()))
    assert (found.reached, found.shortfall, found.rounds) == (Decimal(50), Decimal(0), 0)


def test_nothing_is_sold_where_no_loan_is_hit():
    found = rules.outcome(at_or_above, TERMS, Decimal(100), SHALLOW, fall=Decimal("-1"))
    assert (found.called, found.sold, found.units, found.proceeds, found.shortfall) == (0, 0, 0, 0, 0)
    assert (found.reached, found.rounds, found.fall) == (Decimal(45), 0, Decimal("-1"))


def test_a_price_after_a_fall_and_the_fall_to_a_price():
    assert rules.price_after(Decimal(50), Decimal("0.3")) == Decimal(35)
    assert rules.price_after(Decimal("1e-24"), Decimal("0.9")) == Decimal("1e-24"), "never nothing"
    assert rules.fall_to(Decimal(35), Decimal(50)) == Decimal("0.3")
    assert rules.fall_to(Decimal(75), Decimal(50)) == Decimal("-0.5")
