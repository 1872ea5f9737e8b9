"""The best price from the cache, and without it."""

from decimal import Decimal

import pytest
import structlog
from django.core.cache import cache

from coruscant import clock
from pricing import best_price
from pricing.quotes import Level
from pricing.tests.builders import MOS_ESPA, at
from pricing.tests.rows import drain, quote_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_a_cached_price_needs_no_query(moving_clock, django_assert_num_queries):
    quote_row(MOS_ESPA, -10, "50")
    first = best_price.refresh()
    with django_assert_num_queries(0):
        assert best_price.current() == first
        assert best_price.snapshot().curves(clock.now())[MOS_ESPA].fresh


def test_a_cached_price_expires_all_the_same(moving_clock):
    quote_row(MOS_ESPA, -10, "50")
    drain(60)
    best_price.refresh()
    moving_clock.now = at(49.999)
    assert best_price.current().price == Decimal(50)
    moving_clock.now = at(50)
    assert best_price.current().price is None


def test_the_cache_may_be_emptied_at_any_moment(moving_clock):
    quote_row(MOS_ESPA, -10, "50")
    best_price.refresh()
    cache.clear()
    assert best_price.current().price == Decimal(50)


def test_while_the_cache_is_down_prices_come_from_the_database(moving_clock, settings):
    quote_row(MOS_ESPA, -10, "50")
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    with structlog.testing.capture_logs() as logs:
        assert best_price.current().price == Decimal(50)
        assert best_price.refresh().price == Decimal(50)
        assert best_price.snapshot().curves(clock.now())[MOS_ESPA].levels == (
            Level(Decimal(1), Decimal(50)),
            Level(Decimal(10), Decimal(50)),
        )
    assert "price_cache_down" in [log["event"] for log in logs]
