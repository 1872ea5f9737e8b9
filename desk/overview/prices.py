"""The prices of both markets over the last hours, what was claimed at them, and what they pay now for more units."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, starmap
from typing import Any

from django.conf import settings
from django.db import connection

from pricing import written
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.quotes import unit_price
from pricing.snapshot import Curve

#: So many instants are looked at, however long the time: two probes of an index for each.
POINTS = 120
QUANTITIES = (1, 10, 50, 100)
#: Claims older than so many others are not marked.
_NEWEST_CLAIMS = 5_000
_MOST_MARKS = 3

# The ORM groups no rows that are already limited; as a list of ids the newest would be looked up among all claims.
_AT_WHICH_PRICES = """
    SELECT price_at, price, count(*) FROM (
        SELECT price_at, price, claimed_at FROM liquidation_liquidation ORDER BY id DESC LIMIT %(newest)s
    ) newest WHERE claimed_at >= %(since)s GROUP BY price_at, price ORDER BY count(*) DESC LIMIT %(most)s
"""

_QUOTE_AT_EACH_INSTANT = """
    SELECT market.name, tick.at, quote.sell
    FROM unnest(%(markets)s::text[]) AS market (name)
    CROSS JOIN generate_series(%(start)s::timestamptz, %(end)s, %(step)s) AS tick (at)
    LEFT JOIN LATERAL (
        SELECT sell FROM (
            SELECT sell, sent_at FROM pricing_pricequote
            WHERE market = market.name AND effective_from <= tick.at
            ORDER BY effective_from DESC LIMIT 1
        ) newest WHERE newest.sent_at > tick.at - %(max_age)s
    ) quote ON true
    ORDER BY market.name, tick.at
"""

#: A price in GC a unit, or None while its market had no live quote.
Series = list[tuple[datetime, Decimal | None]]


@dataclass(frozen=True, slots=True)
class Claims:
    """So many loans were claimed at this price, which began at this instant."""

    at: datetime
    price: Decimal
    loans: int


@dataclass(frozen=True, slots=True)
class Depth:
    """What each market pays for each of so many units, and who pays most."""

    quantity: int
    prices: tuple[Decimal | None, ...]

    @property
    def best(self) -> Market | None:
        """The market that pays most; None if none takes so many."""
        offers = [(price, market) for price, market in zip(self.prices, Market, strict=True) if price is not None]
        return max(offers, key=lambda offer: offer[0])[1] if offers else None


def series(end: datetime, span: timedelta) -> dict[Market, Series]:
    """Each market's price at POINTS instants of the time before `end`, for the reference quantity.

    Where the first quote is younger than that, of the time since.
    """
    quotes = PriceQuote.objects.filter(effective_from__isnull=False).order_by("effective_from")
    since = quotes.values_list("effective_from", flat=True)
    firsts = [at for market in Market for at in since.filter(market=market)[:1] if at is not None]
    start = min(max(end - span, min(firsts, default=end - span)), end - span / POINTS)
    parameters: dict[str, Any] = {
        "markets": [str(market) for market in Market],
        "start": start,
        "end": end,
        "step": (end - start) / POINTS,
        "max_age": timedelta(seconds=settings.PRICE_MAX_AGE_SECONDS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUOTE_AT_EACH_INSTANT, parameters)
        rows = cursor.fetchall()
    return {
        Market(market): [(at, _price(sell)) for _market, at, sell in found]
        for market, found in groupby(rows, key=lambda row: row[0])
    }


def claims(since: datetime) -> list[Claims]:
    """At which prices loans were claimed since then: the few at which most were, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(_AT_WHICH_PRICES, {"newest": _NEWEST_CLAIMS, "since": since, "most": _MOST_MARKS})
        return sorted(starmap(Claims, cursor.fetchall()), key=lambda group: group.at)


def depths(curves: Mapping[Market, Curve]) -> list[Depth]:
    """What the markets pay now, by quantity; a market without a live quote pays nothing."""
    levels = [curves[market].levels if market in curves and curves[market].fresh else () for market in Market]
    return [Depth(quantity, tuple(unit_price(curve, Decimal(quantity)) for curve in levels)) for quantity in QUANTITIES]


def _price(sell: str | None) -> Decimal | None:
    if sell is None:
        return None
    return unit_price(written.read_levels(json.loads(sell)), settings.PRICE_REFERENCE_QUANTITY)
