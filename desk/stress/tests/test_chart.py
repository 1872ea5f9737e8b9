"""The lines of the curve lie within the chart."""

from decimal import Decimal

from desk.stress import chart
from desk.stress.rules import Outcome


def outcome(fall, owed, shortfall):
    figures = dict.fromkeys(("collateral", "units", "reached", "proceeds"), Decimal(1))
    return Outcome(price=Decimal(1), fall=Decimal(fall), called=0, sold=1, owed=Decimal(owed),
                   shortfall=Decimal(shortfall), rounds=1, **figures)  # fmt: skip


def test_the_most_that_is_owed_reaches_the_top_and_nothing_the_bottom():
    found = chart.of([outcome("0", 0, 0), outcome("0.01", 500, 0), outcome("0.02", 1000, 250)])
    assert found.owed == "64.0,200.0 344.0,106.0 624.0,12.0"
    assert found.shortfall == "64.0,200.0 344.0,200.0 624.0,153.0"
    assert [label.text for label in found.amounts] == ["500", "1,000"]
    assert [label.text for label in found.falls] == ["−0%"]


def test_a_book_that_is_never_hit_has_no_chart():
    assert chart.of([]) is None
    assert chart.of([outcome("0", 0, 0)]) is None
