"""Arguments are stored exactly, and read back exactly or not at all."""

import json
from decimal import Decimal
from uuid import UUID

import pytest

from coruscant.approvals.arguments import ArgumentsDoNotFit, exact, read, whole, words
from coruscant.money import parse_amount


def test_figures_are_strings_and_the_rest_is_json():
    stored = exact(
        {
            "units": Decimal("12345678901234567890.000000000000000000000001"),
            "small": Decimal("1E-20"),
            "order": UUID(int=7),
            "rows": (1, [Decimal("2.50")], {"none": None, "yes": True}),
        }
    )
    assert json.loads(json.dumps(stored)) == {
        "units": "12345678901234567890.000000000000000000000001",
        "small": "0.00000000000000000001",
        "order": "00000000-0000-0000-0000-000000000007",
        "rows": [1, ["2.5"], {"none": None, "yes": True}],
    }


@pytest.mark.parametrize("value", [0.1, Decimal("NaN"), Decimal("Infinity"), object(), {1}])
def test_what_has_no_exact_form_is_an_error(value):
    with pytest.raises(TypeError):
        exact({"value": [value]})


@pytest.mark.parametrize("arguments", [{"a": "\x00"}, {"a": ["\ud800"]}, {"\x00": 1}])
def test_text_that_cannot_be_stored_is_refused(arguments):
    with pytest.raises(ArgumentsDoNotFit):
        exact(arguments)


def test_each_argument_is_read_by_its_reader():
    stored = exact({"row": 7, "units": Decimal("1.5"), "name": "han"})
    assert read(stored, row=whole, units=parse_amount, name=words) == {
        "row": 7, "units": Decimal("1.5"), "name": "han",
    }  # fmt: skip
    assert read({"row": "12"}, row=whole) == {"row": 12}


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"row": 7, "name": "han", "more": 1},
        {"row": -1, "name": "han"},
        {"row": True, "name": "han"},
        {"row": "²", "name": "han"},
        {"row": "07", "name": "han"},
        {"row": 2**63, "name": "han"},
        {"row": None, "name": "han"},
        {"row": 7, "name": " "},
        {"row": 7, "name": 7},
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments):
    with pytest.raises(ArgumentsDoNotFit):
        read(arguments, row=whole, name=words)
