"""The best price as the pages of the admin show it: how far the markets are apart, and a banner while there is none."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest

from coruscant.admin.figures import instant, percent
from coruscant.admin.overview import banners, notes
from pricing import best_price
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.quotes import PricePoint


def price_now(request: HttpRequest) -> PricePoint:
    """The best price for this page: read once a request, however many rows ask."""
    if not hasattr(request, "_price_now"):
        request._price_now = best_price.current()  # type: ignore[attr-defined]
    return request._price_now  # type: ignore[attr-defined,no-any-return]


def no_live_price(request: HttpRequest) -> str | None:
    """The banner while there is no live price. The last one ended PRICE_MAX_AGE_SECONDS after the newest quote."""
    if price_now(request).price is not None:
        return None
    quotes = PriceQuote.objects.order_by("-sent_at").values_list("sent_at", flat=True)
    newest = [sent_at for market in Market for sent_at in quotes.filter(market=market)[:1]]
    ended = max(newest) + timedelta(seconds=settings.PRICE_MAX_AGE_SECONDS) if newest else None
    when = f"nothing new is claimed since {instant(ended)}" if ended else "no market has been heard yet"
    return f"No live price: {when}. No loan becomes active and no margin call is made; sales already begun go on."


def markets_apart(request: HttpRequest) -> str | None:
    """The note while both markets have a live price, counting or not: how far those are apart."""
    apart = price_now(request).divergence(settings.PRICE_REFERENCE_QUANTITY)
    return None if apart is None else f"Markets {percent(apart)} apart"


banners.append(no_live_price)
notes.append(markets_apart)
