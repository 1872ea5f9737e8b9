"""Quotes as rows: how long they live, how their levels are stored, and which curves a market has had."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from coruscant import money
from pricing import reading
from pricing.markets import Market
from pricing.quotes import Freshness, Level


def freshness() -> Freshness:
    """How long quotes live, from the settings."""
    return Freshness(
        max_age=timedelta(seconds=settings.PRICE_MAX_AGE_SECONDS),
        max_lag=timedelta(seconds=settings.FEED_MAX_LAG_SECONDS),
    )


def written_levels(levels: Iterable[Level]) -> list[list[str]]:
    """Levels as they are stored: [quantity, unit price] as decimal strings."""
    return [[money.decimal_string(level.quantity), money.decimal_string(level.unit_price)] for level in levels]


def sell_curves(market: Market, since: datetime, until: datetime) -> list[tuple[Level, ...]]:
    """The sell curves of a market's quotes that were effective at some time in [since, until], in order."""
    fresh = freshness()
    history = reading.history(since, until, no_earlier=since - fresh.max_age - fresh.max_lag)
    course = history.courses(reading.guards(), fresh).get(market)
    if course is None:
        return []
    effective = [one for one in course.effective if one.start <= until]
    before = [one for one in effective if one.start <= since]
    return [one.quote.sell for one in [*before[-1:], *effective[len(before) :]]]
