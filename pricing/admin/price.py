"""The best price as the pages of the admin show it: a card of the overview, and a banner while there is none."""

from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from coruscant.admin.figures import figure, instant
from coruscant.admin.overview import Card, banners, cards
from pricing import best_price
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.quotes import PricePoint


def price_now(request: HttpRequest) -> PricePoint:
    """The best price for this page: read once a request, however many rows ask."""
    found: PricePoint | None = getattr(request, "_price_now", None)
    if found is None:
        found = best_price.current()
        request._price_now = found  # type: ignore[attr-defined]
    return found


def no_live_price(request: HttpRequest) -> str | None:
    """The banner while there is no live price: nothing new is claimed."""
    if price_now(request).price is not None:
        return None
    since = _last_price_ended_at()
    when = f"nothing new is claimed since {instant(since)}" if since else "no market has been heard yet"
    return f"No live price: {when}. No loan becomes active and no margin call is made; sales already begun go on."


def _last_price_ended_at() -> datetime | None:
    """About when the last price ended: PRICE_MAX_AGE_SECONDS after the newest quote; None if there never was one."""
    newest = [
        quote.sent_at
        for market in Market
        if (quote := PriceQuote.objects.filter(market=market).order_by("-sent_at").only("sent_at").first())
    ]
    return max(newest) + timedelta(seconds=settings.PRICE_MAX_AGE_SECONDS) if newest else None


def _best_price_card(request: HttpRequest) -> list[Card]:
    point, quotes = price_now(request), reverse("admin:pricing_pricequote_changelist")
    if point.price is None:
        return [Card("Best price", "none", "No market has a live quote", quotes, "danger")]
    markets = " and ".join(quote.market.label for quote in point.quotes[:1])
    return [Card("Best price", figure(point.price, "GC"), f"a unit, {markets}", quotes)]


banners.append(no_live_price)
cards.append(_best_price_card)
