"""How figures, ratios and instants are printed."""

from datetime import UTC, datetime
from decimal import Decimal

from coruscant.admin.figures import figure, instant, percent


def test_figures_are_printed_plainly():
    assert figure(Decimal("1000.500000000000000000000000"), "GC") == "1000.5 GC"
    assert figure(Decimal("0E-24"), "units") == "0 units"
    assert figure(Decimal("1E+3")) == "1000"
    assert figure(None, "GC") == "–"


def test_a_percentage_is_rounded_down():
    assert percent(Decimal("0.79999999")) == "79.99 %"
    assert percent(Decimal("0.8")) == "80.00 %"


def test_instants_are_shown_to_the_second_in_utc():
    assert instant(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)) == "2026-01-02 03:04:05 UTC"
