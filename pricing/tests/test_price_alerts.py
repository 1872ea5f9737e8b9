"""What is wrong with the price is logged when it begins, and when it is over."""

from decimal import Decimal

import pytest
import structlog

from pricing import best_price
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at
from pricing.tests.rows import drain, quote_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def events(logs):
    return [log["event"] for log in logs]


def test_an_unknown_price_is_logged_once_and_so_is_its_end(moving_clock):
    with structlog.testing.capture_logs() as logs:
        best_price.refresh()
        best_price.refresh()
        best_price.current()
        quote_row(MOS_ESPA, 0, "50")
        best_price.refresh()
        best_price.refresh()
    assert events(logs) == ["price_unknown", "price_state_over"]


def test_an_unknown_price_is_logged_by_a_reader_if_no_poller_is_left(moving_clock):
    quote_row(MOS_ESPA, 0, "50")
    drain(60)
    best_price.refresh()
    moving_clock.now = at(60)
    with structlog.testing.capture_logs() as logs:
        assert best_price.current().price is None
        assert best_price.current().price is None
    assert events(logs) == ["price_unknown"]


def test_a_quote_held_because_of_our_lag_is_logged_and_so_is_giving_it_up(moving_clock):
    quote_row(MOS_ESPA, 0, "50")
    drain(59)
    seen = []
    with structlog.testing.capture_logs() as logs:
        for second in (59, 60, 61, 119, 120, 121):
            moving_clock.now = at(second)
            seen.append(best_price.refresh().price)
    assert seen == [Decimal(50)] * 4 + [None] * 2
    assert events(logs) == ["lagging_feed_held", "price_unknown", "price_state_over", "lagging_feed_given_up"]
    assert [log["log_level"] for log in logs] == ["warning", "warning", "info", "error"]
    drain(121)
    with structlog.testing.capture_logs() as logs:
        best_price.refresh()
    assert events(logs) == ["price_state_over"]


def test_an_event_from_the_far_future_is_logged_once_it_has_outranked_its_market_for_long(moving_clock):
    quote_row(MOS_ESPA, -12, "50", market_time=Decimal(253402300799), event_id="from-9999")
    quote_row(MOS_ESPA, -8, "49")
    quote_row(BLACK_SPIRE, -8, "48")
    drain(0)
    with structlog.testing.capture_logs() as logs:
        best_price.refresh()
        assert events(logs) == [], "two events that overtake each other are normal"
        quote_row(MOS_ESPA, -7, "49")
        best_price.refresh()
        best_price.refresh()
    assert [(log["log_level"], log["event"], log["market"], log["reference"]) for log in logs] == [
        ("warning", "feed_outranked", "mos_espa", "from-9999")
    ]
    quote_row(MOS_ESPA, 70, "47")
    moving_clock.now = at(71)
    drain(71)
    with structlog.testing.capture_logs() as logs:
        best_price.refresh()
    assert "price_state_over" in events(logs)


def test_a_jump_a_dispute_and_a_suspect_market_are_logged_when_they_begin_and_end(moving_clock):
    quote_row(MOS_ESPA, -3, "31")
    quote_row(BLACK_SPIRE, -3, "31")
    best_price.refresh()
    with structlog.testing.capture_logs() as logs:
        quote_row(MOS_ESPA, -2, "5000")
        best_price.refresh()
        quote_row(MOS_ESPA, -1, "5000")
        best_price.refresh()
        quote_row(MOS_ESPA, 0, "31")
        best_price.refresh()
    named = [(log["event"], log.get("market") or log.get("state")) for log in logs]
    assert [one for one in named if one[0] != "prices_disputed"] == [
        ("price_jump_pending", "mos_espa"), ("price_state_over", "pending.mos_espa"), ("market_suspect", "mos_espa"),
        ("price_state_over", "disputed"), ("price_state_over", "suspect.mos_espa"),
    ]  # fmt: skip
    assert events(logs).count("prices_disputed") == 1
