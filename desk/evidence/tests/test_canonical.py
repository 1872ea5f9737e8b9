"""The same content is the same bytes."""

import hashlib

import pytest

from desk.evidence.canonical import canonical, sha256


def test_the_order_of_keys_and_blanks_do_not_count():
    assert canonical({"b": [1, None, True], "a": "x"}) == b'{"a":"x","b":[1,null,true]}'
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})


def test_text_is_utf8_and_only_what_must_be_is_escaped():
    assert canonical('é€\n"\\') == '"é€\\n\\"\\\\"'.encode()


def test_the_hash_is_that_of_the_canonical_bytes():
    assert sha256({"b": 1, "a": 2}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()


@pytest.mark.parametrize("value", [1.5, {"a": [0.1]}, float("nan")])
def test_a_float_is_refused_wherever_it_is(value):
    with pytest.raises(TypeError, match="float"):
        canonical(value)
