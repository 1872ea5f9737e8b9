"""How figures, ratios and instants are printed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils.safestring import mark_safe

from coruscant.admin.figures import ago, badge, figure, gc, instant, percent, short_id, unit_price, units

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


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


def test_in_lists_gc_have_two_decimals_and_units_four_and_the_exact_figure_shows_on_hovering():
    assert gc(Decimal("6307.545100")) == '<span class="figure" title="6307.5451 GC">6,307.55</span>'
    assert units(Decimal(1234567)) == '<span class="figure" title="1234567 units">1,234,567.0000</span>'
    assert unit_price(Decimal("46.5")) == '<span class="figure" title="46.5 GC a unit">46.50</span>'
    assert gc(None) == units(None) == unit_price(None) == "–"


def test_the_longest_figure_is_rounded_like_any_other():
    longest = Decimal("9" * 20 + "." + "9" * 24)
    assert ">100,000,000,000,000,000,000.00<" in gc(longest)
    assert f'title="{longest:f} GC"' in gc(longest)


def test_what_is_not_zero_is_not_shown_as_zero():
    assert ">&lt; 0.01<" in gc(Decimal("0.001"))
    assert ">&lt; 0.0001<" in units(Decimal("1E-24"))
    assert ">0.00<" in gc(Decimal("0E-24"))


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(0), "0 s ago"),
        (timedelta(seconds=14.9), "14 s ago"),
        (timedelta(seconds=119), "119 s ago"),
        (timedelta(minutes=2), "2 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(days=2), "2 d ago"),
        (timedelta(days=800), "800 d ago"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_ages_are_said_in_the_unit_that_fits(before, said):
    assert f">{said}<" in ago(NOW - before, NOW)


def test_the_instant_of_an_age_shows_on_hovering():
    assert 'datetime="2026-01-02T03:04:05Z" title="2026-01-02 03:04:05 UTC"' in ago(NOW, NOW)
    assert ago(None, NOW) == "–"


def test_a_long_id_is_shortened_and_can_be_copied_and_keeps_its_case():
    shown = short_id("Be4ed368-AAAA-bbbb", "/there/")
    assert '<a class="text-link" href="/there/">Be4ed368…</a>' in shown
    assert 'data-copy="Be4ed368-AAAA-bbbb"' in shown
    assert short_id("razor-crest") == '<span class="id">razor-crest</span>'
    assert short_id("") == "–"


def test_an_id_is_text_and_nothing_else():
    assert "<script" not in short_id("<script>alert(1)</script>", "/there/")
    assert "<b>" not in short_id("<b>")


def test_a_badge_escapes_its_text_though_the_same_was_shown_as_safe():
    assert "<b>held</b>" in badge(mark_safe("<b>held</b>"), "danger")
    assert "&lt;b&gt;held" in badge("<b>held</b>", "danger")
    assert badge("") == "–"
