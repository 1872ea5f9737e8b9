"""Quotes and feeds as rows: how they are written and read. Nothing here decides anything."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import Coalesce

from coruscant import money
from pricing.markets import Market
from pricing.models import Feed, PriceQuote
from pricing.quotes import Freshness, Level, Quote

_COLUMNS = ("id", "market", "market_time", "sent_at", "reference", "too_late")


def freshness() -> Freshness:
    """How long quotes hold, from the settings."""
    return Freshness(
        max_age=timedelta(seconds=settings.PRICE_MAX_AGE_SECONDS),
        max_lag=timedelta(seconds=settings.FEED_MAX_LAG_SECONDS),
    )


def reference_quantity() -> Decimal:
    """The number of units whose sell price is the price, from the settings."""
    return Decimal(settings.PRICE_REFERENCE_QUANTITY)


def drained_to() -> dict[Market, datetime | None]:
    """For every market the instant up to which all its messages have been received; None = not known."""
    known = dict(Feed.objects.values_list("market", "drained_to"))
    return {market: known.get(market) for market in Market}


def written_levels(levels: Iterable[Level]) -> list[list[str]]:
    """Levels as a quote's row keeps them: [quantity, unit price] as decimal strings."""
    return [[money.decimal_string(level.quantity), money.decimal_string(level.unit_price)] for level in levels]


def read_levels(written: Iterable[Iterable[str]]) -> tuple[Level, ...]:
    """The reverse of `written_levels`."""
    return tuple(Level(Decimal(quantity), Decimal(price)) for quantity, price in written)


def history_times(since: datetime, until: datetime) -> list[tuple[Quote, datetime | None]]:
    """All quotes sent in (since, until], without their levels, with the instant each was swept at, oldest first."""
    rows = _with_reference(PriceQuote.objects.filter(sent_at__gt=since, sent_at__lte=until)).order_by("sent_at", "id")
    return [(_quote(row, ()), row["swept_at"]) for row in rows.values(*_COLUMNS, "swept_at")]


def latest_times(market: Market, within: timedelta) -> list[Quote]:
    """A market's newest quote and those sent up to `within` before it, however old, without their levels.

    Enough to tell which one stands; reading some hundreds of curves for that would be waste.
    """
    theirs = PriceQuote.objects.filter(market=market)
    begin = theirs.order_by("-sent_at").annotate(
        begin=ExpressionWrapper(F("sent_at") - Value(within), output_field=DateTimeField())
    )
    rows = _with_reference(theirs.filter(sent_at__gte=begin.values("begin")[:1]))
    return [_quote(row, ()) for row in rows.order_by().values(*_COLUMNS)]


def levels_of(quote_ids: Iterable[int]) -> dict[int, tuple[Level, ...]]:
    """The sell levels of some quotes."""
    rows = PriceQuote.objects.filter(pk__in=list(quote_ids)).values_list("id", "sell")
    return {quote_id: read_levels(sell) for quote_id, sell in rows}


def _with_reference(rows: "QuerySet[PriceQuote]") -> "QuerySet[Any]":
    return rows.annotate(reference=Coalesce("event_id", "message_id"))


def _quote(row: dict[str, Any], sell: tuple[Level, ...]) -> Quote:
    return Quote(
        id=row["id"],
        market=Market(row["market"]),
        market_time=row["market_time"],
        sent_at=row["sent_at"],
        sell=sell,
        reference=row["reference"],
        too_late=row["too_late"],
    )
