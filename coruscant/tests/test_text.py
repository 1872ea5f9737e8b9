"""Which text is stored as it is, and how the rest is escaped."""

import pytest
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from coruscant.text import escaped, is_storable

any_text = st.text(st.characters(exclude_categories=[]), max_size=50)


@given(any_text)
@example("a\x00b")
@example("\ud800")
@example("\udfff")
def test_escaped_text_can_be_stored_and_storable_text_is_not_changed(text):
    assert is_storable(escaped(text))
    assert (escaped(text) == text) == is_storable(text)


def test_escapes_show_what_was_there():
    assert escaped("a\x00b\ud83d") == "a\\x00b\\ud83d"


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "\x01\x7f\ufeff\uffff", "🜚\U0010ffff", "\ud7ff\ue000"])
def test_postgresql_stores_what_is_storable(text):
    assert is_storable(text)
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text", [text])
        assert cursor.fetchone() == (text,)
