"""Everything the page of prices shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest

from coruscant import clock
from coruscant.controls import in_force
from coruscant.controls.models import Control, ControlKind
from desk.overview.prices import QUANTITIES
from pricing import best_price, written
from pricing.admin.quotes import use_of
from pricing.markets import Market
from pricing.models import Feed, HeldJump, PriceQuote, RejectedMessage
from pricing.quotes import Level, PricePoint, Quote, unit_price

#: Of each market.
_NEWEST: Final = 8
_NEWEST_OF_ALL: Final = 10
_DAY: Final = timedelta(days=1)

# From quote to quote, each the last one within the maximum age of the one before, or the next one if there is none:
# two probes of an index for each minute, where comparing every quote with its neighbour would read them all.
_GAPS = """
    WITH RECURSIVE quote (before, sent_at) AS (
        SELECT NULL::timestamptz, coalesce(
            (SELECT max(sent_at) FROM pricing_pricequote WHERE market = %(market)s AND sent_at <= %(day_ago)s),
            (SELECT min(sent_at) FROM pricing_pricequote WHERE market = %(market)s AND sent_at > %(day_ago)s))
        UNION ALL
        SELECT quote.sent_at, coalesce(
            (SELECT max(q.sent_at) FROM pricing_pricequote q WHERE market = %(market)s
             AND q.sent_at > quote.sent_at AND q.sent_at <= quote.sent_at + %(max_age)s),
            (SELECT min(q.sent_at) FROM pricing_pricequote q WHERE market = %(market)s
             AND q.sent_at > quote.sent_at + %(max_age)s))
        FROM quote WHERE quote.sent_at IS NOT NULL
    )
    SELECT before, sent_at FROM quote
    WHERE before IS NOT NULL AND (sent_at IS NULL OR sent_at > before + %(max_age)s)
    ORDER BY before DESC LIMIT %(most)s
"""

Prices = tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A live quote, what its market pays for the reference quantity by it, and what it is worth to the bank."""

    quote: Quote
    price: Decimal | None
    counts: str
    kind: str
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A quote as it was received, with what its market paid for each of `QUANTITIES`."""

    quote: PriceQuote
    prices: Prices
    use: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without a live quote of a market; open if it lasts."""

    market: Market
    since: datetime
    until: datetime | None
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class MarketNow:
    """What is known of a market now."""

    market: Market
    feed: Feed | None
    set_aside: Control | None
    lines: list[Line]


def read(request: HttpRequest) -> dict[str, Any]:
    """The context of the page, for whoever may see quotes; the rest for whoever may see that."""
    now = clock.now()
    point = best_price.snapshot().price_at(now)
    aside = {one.market: one for one in in_force.now(now).filter(kind=ControlKind.SET_ASIDE)}
    feeds = {feed.market: feed for feed in Feed.objects.all()}
    return {
        "now": now,
        "point": point,
        "apart": point.divergence(settings.PRICE_REFERENCE_QUANTITY),
        "reference_quantity": settings.PRICE_REFERENCE_QUANTITY,
        "max_age": settings.PRICE_MAX_AGE_SECONDS,
        "evidence": list(evidence(point)),
        "quantities": QUANTITIES,
        "markets": [MarketNow(one, feeds.get(one), aside.get(one), newest(one)) for one in Market],
        "gaps": gaps(now),
        "jumps": _if_seen(request, "pricing.view_heldjump", HeldJump.objects.all()),
        "rejected": _if_seen(request, "pricing.view_rejectedmessage", RejectedMessage.objects.all()),
    }


def evidence(point: PricePoint) -> Iterator[Evidence]:
    """The live quotes: those that the best price is made of, the best first, then those that do not count."""
    confirmed_by = point.confirmed_by or ("",) * len(point.quotes)
    for quote, by in zip(point.quotes, confirmed_by, strict=True):
        yield Evidence(quote, _price(quote.sell), "counts", "success", by)
    for quote in point.pending:
        yield Evidence(quote, _price(quote.sell), "a jump, not confirmed yet", "warning")
    for quote in point.suspect:
        yield Evidence(quote, _price(quote.sell), "jumped alone: does not count", "danger")


def newest(market: Market) -> list[Line]:
    """The quotes that a market sent last."""
    found = PriceQuote.objects.filter(market=market).order_by("-sent_at")[:_NEWEST]
    curves = [(quote, written.read_levels(quote.sell)) for quote in found]
    return [
        Line(quote, tuple(unit_price(curve, Decimal(units)) for units in QUANTITIES), use_of(quote))
        for quote, curve in curves
    ]


def gaps(now: datetime) -> list[Gap]:
    """When, in the last 24 hours, no quote of a market was live, the latest first: nothing came for the maximum age."""
    max_age = timedelta(seconds=settings.PRICE_MAX_AGE_SECONDS)
    found = [gap for market in Market for gap in _gaps(market, now, max_age)]
    return sorted(found, key=lambda gap: gap.since, reverse=True)[:_NEWEST_OF_ALL]


def _gaps(market: Market, now: datetime, max_age: timedelta) -> Iterator[Gap]:
    parameters: dict[str, Any] = {"market": market, "day_ago": now - _DAY, "max_age": max_age, "most": _NEWEST_OF_ALL}
    with connection.cursor() as cursor:
        cursor.execute(_GAPS, parameters)
        for before, sent_at in cursor.fetchall():
            since, until = before + max_age, sent_at
            if until is not None or since < now:
                yield Gap(market, since, until, (until or now) - since)


def _price(sell: tuple[Level, ...]) -> Decimal | None:
    return unit_price(sell, settings.PRICE_REFERENCE_QUANTITY)


def _if_seen(request: HttpRequest, permission: str, rows: QuerySet[Any]) -> list[Any] | None:
    return list(rows[:_NEWEST_OF_ALL]) if request.user.has_perm(permission) else None
