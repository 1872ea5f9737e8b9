"""Amounts: what is read, what is refused, how they are printed; nothing is ever rounded on the way."""

from decimal import Decimal, getcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coruscant import money
from coruscant.money import NotAnAmount, decimal_string, parse_amount

amounts = st.decimals(min_value=Decimal("1e-24"), max_value=Decimal("99999999999999999999"), places=24)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "1"),
        ("0.000000000000000000000001", "1e-24"),
        ("99999999999999999999.999999999999999999999999", "99999999999999999999.999999999999999999999999"),
        ("5e-7", "0.0000005"),
        ("1E3", "1000"),
        ("1e+2", "100"),
        ("007", "7"),
        ("1.50", "1.5"),
        ("0" * 19 + "1", "1"),
        ("1." + "0" * 24, "1"),
        ("1.0e-24", "1e-24"),
    ],
)
def test_an_amount_is_read_exactly(text, value):
    assert parse_amount(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1 ", " 1", "+1", "-1", "1_000", "1,5", ".5", "5.", "abc", "NaN", "Infinity", "0", "0.000", "0e5",
        "1e-25", "0.0000000000000000000000001", "100000000000000000000", "1e20", "1e999999999",
        "1e-999999999", "1e99999", "0" * 20 + "1", "1." + "0" * 25,
        "٣", "1\n", "1\x00", "0x10", "1e", "e1", "1" * 201, None, 5, 5.0, True, [], {},
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_a_sentence(text):
    with pytest.raises(NotAnAmount, match="must"):
        parse_amount(text)


@given(amounts)
def test_printing_and_reading_lose_nothing(value):
    text = decimal_string(value)
    assert parse_amount(text) == value
    assert "e" not in text.lower()
    assert "." not in text or not text.endswith(("0", "."))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0.000", "0"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("1.10", "1.1"),
        ("1e-8", "0.00000001"),
    ],
)
def test_a_figure_is_printed_plainly(value, text):
    assert decimal_string(Decimal(value)) == text


@given(amounts, amounts)
def test_sums_and_products_in_the_exact_context_are_exact(left, right):
    with money.exact():
        assert (left + right) - right == left
        assert (left * right) / right == left
    assert getcontext().prec == 28


@given(st.decimals("0", "1000", places=12), st.sampled_from(["0.00000001", "0.5", "1", "0.3"]))
def test_a_figure_is_rounded_down_to_the_last_step_before_it(value, step):
    grid = Decimal(step)
    down = money.floor_to_step(value, grid)
    assert down <= value < down + grid
    assert down % grid == 0


@pytest.mark.parametrize(
    ("value", "storable"),
    [
        ("0", True),
        ("1e-24", True),
        ("1e-25", False),
        ("1e20", False),
        ("-1", False),
        ("NaN", False),
        ("Infinity", False),
    ],
)
def test_only_figures_that_the_database_holds_fit(value, storable):
    assert money.fits(Decimal(value)) is storable


def test_rounding_has_a_direction():
    value = Decimal("1.2345")
    assert (money.round_down(value, 2), money.round_up(value, 2)) == (Decimal("1.23"), Decimal("1.24"))
