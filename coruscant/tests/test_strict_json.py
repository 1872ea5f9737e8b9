"""Whatever the body is: one object with exact numbers, or one kind of error."""

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coruscant.strict_json import NotStrictJSON, exact_number, read_object

any_text = st.text(st.characters(exclude_categories=[]), max_size=20)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=24, min_value=-(10**20), max_value=10**20)
scalars = st.none() | st.booleans() | any_text | decimals
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4), max_leaves=15
)


def written(value):
    """The value as JSON, a Decimal as the digits it prints."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(inner) for inner in value) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def holds_another_number_than_decimal(value):
    if isinstance(value, dict | list):
        return any(
            holds_another_number_than_decimal(inner) for inner in (value.values() if isinstance(value, dict) else value)
        )
    return isinstance(value, float) or type(value) is int


def refused(body, **options):
    with pytest.raises(NotStrictJSON) as caught:
        read_object(body, **options)
    return str(caught.value)


@given(st.dictionaries(any_text, values, max_size=5))
def test_an_object_is_read_back_as_it_was_written(value):
    read = read_object(written(value).encode())
    assert read == value
    assert read_object(written(value)) == read
    assert not holds_another_number_than_decimal(read)


@given(st.binary(max_size=200) | any_text)
@example(b"\xff")
@example(b"\xef\xbb\xbf{}")
@example("\ufeff{}")
@example('{"a": "\\')
def test_any_bytes_and_any_text_give_an_object_or_the_one_error(body):
    try:
        read = read_object(body)
    except NotStrictJSON:
        return
    assert isinstance(read, dict)


@given(st.dictionaries(any_text, values, min_size=1, max_size=4), st.data())
def test_a_key_that_occurs_twice_is_refused_wherever_it_stands(value, data):
    twice = data.draw(st.sampled_from(sorted(value)))
    body = f"{written(value)[:-1]},{json.dumps(twice)}:null}}"
    for text in (body, f'{{"outer":[{body}]}}'):
        assert refused(text) == "A key occurs twice in the same object."


@given(st.from_regex(r"\A-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?\Z"))
@example("-0")
@example("0.1")
@example("0.1000000000000000055511151231257827")
def test_a_number_is_exactly_what_is_written(digits):
    value = read_object(f'{{"n": {digits}}}')["n"]
    assert isinstance(value, Decimal)
    assert value.as_tuple() == Decimal(digits).as_tuple()


@pytest.mark.parametrize("digits", ["9" * 121, "1e99999999", "1e-99999999", "0." + "9" * 5000, "-" + "9" * 5000])
def test_a_number_that_is_too_long_is_refused_before_it_is_made(digits):
    assert refused(f'{{"n": {digits}}}') == "A number is too long."


@pytest.mark.parametrize("digits", ["9" * 120, "1e+9999", "1e-9999"])
def test_a_number_within_the_bounds_is_read(digits):
    assert exact_number(digits) == Decimal(digits)


def test_a_caller_that_needs_no_numbers_never_makes_one():
    seen = []
    assert read_object(f'{{"a": {"9" * 60_000}, "b": -1e999999999}}', number=seen.append) == {"a": None, "b": None}
    assert seen == ["9" * 60_000, "-1e999999999"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is not JSON: Expecting value at character 0."),
        (b'{"a": 1} x', "The body is not JSON: Extra data at character 9."),
        (b"\xff", "The body is not UTF-8."),
        (b"[" * 60_000, "The body is nested too deeply."),
        (b"[]", "The body must be a JSON object."),
        (b"null", "The body must be a JSON object."),
        (b'{"a": NaN}', "NaN is not JSON."),
        (b'{"a": [-Infinity]}', "-Infinity is not JSON."),
    ],
)
def test_the_error_says_what_is_wrong(body, sentence):
    assert refused(body) == sentence


def test_a_text_is_bounded_where_the_caller_asks_for_it():
    assert read_object("{}   ", at_most=5) == {}
    assert refused("{}    ", at_most=5) == "The body has 6 characters; at most 5 are read."
