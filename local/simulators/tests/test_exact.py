from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulators.exact import BadJsonError, is_plain_decimal, plain, read_json, write_json


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e30"), max_value=Decimal("1e30")))
def test_a_number_survives_the_wire_exactly(value: Decimal) -> None:
    assert read_json(write_json({"figure": value}))["figure"] == value


def test_numbers_are_written_plainly() -> None:
    assert plain(Decimal("1E-8")) == "0.00000001"
    assert plain(Decimal("1.50")) == "1.5"
    assert plain(Decimal("2E+3")) == "2000"
    assert plain(Decimal("-0.0")) == "0"
    assert write_json({"a": [1, Decimal("0.10"), None, True, "é"]}) == r'{"a": [1, 0.1, null, true, "\u00e9"]}'


def test_a_float_is_never_written() -> None:
    with pytest.raises(TypeError):
        write_json({"figure": 0.1})


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b"\xff",
        b'{"a": -Infinity}',
        b"[" * 100_000,
        b"1e99999999999999999999",
    ],
)
def test_text_of_no_or_several_meanings_is_not_json(text: bytes) -> None:
    with pytest.raises(BadJsonError):
        read_json(text)


@pytest.mark.parametrize("text", ["0", "1", "0.5", "10.000001", "120"])
def test_plain_decimals(text: str) -> None:
    assert is_plain_decimal(text)


@pytest.mark.parametrize(
    "text", ["", "1.0", "01", ".5", "1.", "-1", "+1", "1e3", " 1", "1_000", "NaN", "\u0661", "1\n", 1, None, Decimal(1)]
)
def test_what_is_no_plain_decimal(text: object) -> None:
    assert not is_plain_decimal(text)
