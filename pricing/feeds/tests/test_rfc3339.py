"""Instants of any year, and texts that are none."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.feeds import rfc3339
from pricing.feeds.event import Unreadable


@pytest.mark.parametrize(("text", "seconds"), [
    ("1970-01-01T00:00:00Z", "0"), ("2026-03-01T12:00:00Z", "1772366400"), ("2000-02-29t23:59:59.25z", "951868799.25"),
    ("1970-01-01 01:00:00+01:00", "0"), ("1969-12-31T23:30:00-00:30", "0"), ("1990-12-31T23:59:60Z", "662688000"),
    ("1990-12-31T15:59:60.5-08:00", "662688000.5"), ("9999-12-31T23:59:59Z", "253402300799"),
    ("0001-01-01T00:00:00Z", "-62135596800"), ("0000-01-01T00:00:00Z", "-62167219200"),
    ("0000-02-29T00:00:00Z", "-62162121600"),
])  # fmt: skip
def test_an_instant_of_any_year_is_read(text, seconds):
    assert rfc3339.seconds(text) == Decimal(seconds)


@pytest.mark.parametrize("text", [
    "2026-03-01", "2026-03-01T12:00:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
    "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "1900-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:61Z", "2026-01-01T12:00:60Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60",
    "26-01-01T00:00:00Z", "+2026-01-01T00:00:00Z", "2026-01-01T00:00:00.Z", "２０２６-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z\n",
])  # fmt: skip
def test_what_is_no_instant_is_unreadable(text):
    with pytest.raises(Unreadable):
        rfc3339.seconds(text)


@settings(deadline=None, max_examples=60)
@given(
    st.datetimes(timezones=st.just(UTC)),
    st.integers(-1439, 1439),
)
def test_instants_agree_with_python_where_it_has_them(instant, offset):
    try:
        local = instant.replace(tzinfo=None) + timedelta(minutes=offset)
    except OverflowError:
        return
    sign, minutes = ("-" if offset < 0 else "+"), abs(offset)
    text = f"{local.isoformat()}{sign}{minutes // 60:02}:{minutes % 60:02}"
    exact = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert rfc3339.seconds(text) == Decimal(exact).scaleb(-6)
