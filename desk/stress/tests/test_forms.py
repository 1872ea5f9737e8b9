"""What people type is read exactly, or refused in words."""

from decimal import Decimal

import pytest

from desk.stress.forms import QuestionForm


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ({"price": "40"}, (Decimal(40), None)),
        ({"fall": "30"}, (None, Decimal("0.3"))),
        ({"fall": " 12.5 % "}, (None, Decimal("0.125"))),
        ({"fall": "0"}, (None, Decimal(0))),
        ({}, (None, Decimal("0.3"))),
    ],
)
def test_a_price_or_a_fall_in_percent_is_understood(typed, asked):
    form = QuestionForm(typed)
    assert form.is_valid()
    assert (form.cleaned_data["price"], form.cleaned_data["fall"]) == asked


@pytest.mark.parametrize(
    "typed",
    [
        {"price": "40", "fall": "30"}, {"price": "0"}, {"price": "-1"}, {"price": "much"}, {"fall": "100"},
        {"fall": "-1"}, {"fall": "1e-23"}, {"fall": "."}, {"fall": "9" * 300},
    ],
)  # fmt: skip
def test_anything_else_is_refused(typed):
    form = QuestionForm(typed)
    assert not form.is_valid()
    assert form.errors
