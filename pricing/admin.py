"""Prices as bank representatives see them: quotes, feeds, what could not be read, and whether there is a price."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from coruscant.admin.base import (
    NOTHING,
    Card,
    ReadOnlyAdmin,
    badge,
    banners,
    cards,
    figure,
    instant,
    instant_column,
    preformatted,
)
from coruscant.admin.groups import grant
from pricing import best_price
from pricing.markets import Market
from pricing.models import Feed, FeedEvaluation, PriceQuote, RejectedMessage
from pricing.quotes import PricePoint

grant("pricing")


def price_now(request: HttpRequest) -> PricePoint:
    """The best price for this page: the board is read once a request, however many rows ask."""
    found: PricePoint | None = getattr(request, "_price_now", None)
    if found is None:
        found = best_price.current()
        request._price_now = found  # type: ignore[attr-defined]
    return found


def _dead_since() -> datetime | None:
    """About when the last price died: the last quote's age limit; None if no market has ever been heard."""
    newest = [
        quote.sent_at
        for market in Market
        if (quote := PriceQuote.objects.filter(market=market).order_by("-sent_at").only("sent_at").first())
    ]
    return max(newest) + timedelta(seconds=settings.PRICE_MAX_AGE_SECONDS) if newest else None


def no_live_price(request: HttpRequest) -> str | None:
    """The banner of an outage: without a price nothing new is claimed."""
    if price_now(request).price is not None:
        return None
    since = _dead_since()
    when = f"nothing new is claimed since {instant(since)}" if since else "no market has been heard yet"
    return f"No live price: {when}. No loan becomes active and no margin call is made; sales already begun go on."


def _cards(request: HttpRequest) -> list[Card]:
    point = price_now(request)
    rejected = RejectedMessage.objects.count()
    best = Card(
        "Best price", "none", "No market has a live quote", reverse("admin:pricing_pricequote_changelist"), "danger"
    )
    if point.price is not None:
        markets = " and ".join(quote.market.label for quote in point.quotes[:1])
        best = Card("Best price", figure(point.price, "GC"), f"a unit, {markets}", best.url)
    return [
        best,
        Card(
            "Rejected messages",
            str(rejected),
            "Could not be understood",
            reverse("admin:pricing_rejectedmessage_changelist"),
            "warning" if rejected else "",
        ),
    ]


banners.append(no_live_price)
cards.append(_cards)


def _curve(levels: list[list[str]]) -> str | SafeString:
    """A curve as printed by the market: each quantity with its unit price."""
    if not levels:
        return NOTHING
    return format_html_join("", "<div>{} units: {} GC a unit</div>", levels)


@admin.register(PriceQuote)
class PriceQuoteAdmin(ReadOnlyAdmin):
    """Price events as received."""

    list_display = ("sent", "market", "best", "use", "received", "swept", "event_id")
    list_filter = ("market", "too_late", ("evaluated_at", admin.EmptyFieldListFilter))
    search_fields = ("message_id__exact", "event_id__exact")
    search_help_text = "SQS message id or the market's event id"
    fieldsets = (
        (None, {"fields": ("market", "event_id", "message_id", "own_time", "use")}),
        ("Prices", {"fields": ("sell_curve", "buy_curve")}),
        ("Times", {"fields": ("sent", "received", "swept")}),
    )
    sent = instant_column("sent_at", "Sent")
    received = instant_column("received_at", "Received")
    swept = instant_column("evaluated_at", "Swept")

    @admin.display(description="Sells at")
    def best(self, quote: PriceQuote) -> str:
        """The first level of the sell curve."""
        return f"{quote.sell[0][1]} GC a unit" if quote.sell else NOTHING

    @admin.display(description="Use")
    def use(self, quote: PriceQuote) -> SafeString:
        """What became of the quote."""
        if quote.too_late:
            return badge("too late", "warning", "Older than the age limit when received: no liquidation on it")
        return badge("swept", "success") if quote.evaluated_at else badge("not swept yet", "info")

    @admin.display(description="Market's own time")
    def own_time(self, quote: PriceQuote) -> str:
        """In seconds of the market's own calendar."""
        return figure(quote.market_time, "s")

    @admin.display(description="Sell")
    def sell_curve(self, quote: PriceQuote) -> str | SafeString:
        """What selling so many units brings."""
        return _curve(quote.sell)

    @admin.display(description="Buy")
    def buy_curve(self, quote: PriceQuote) -> str | SafeString:
        """What buying so many units costs."""
        return _curve(quote.buy)


@admin.register(Feed)
class FeedAdmin(ReadOnlyAdmin):
    """How far each market's queue is read, and the outcome of every message."""

    _counts = ("received", "quotes", "duplicates", "skipped", "rejected", "pruned")
    list_display = ("market", "polled", "drained", *_counts)
    fieldsets = (
        (None, {"fields": ("market", "polled", "drained", "locked", "poller")}),
        ("Messages", {"fields": _counts}),
    )
    polled = instant_column("polled_at", "Last receive")
    drained = instant_column("drained_to", "Drained to")
    locked = instant_column("polled_until", "Poller's lock until")


@admin.register(FeedEvaluation)
class JudgedFeedAdmin(ReadOnlyAdmin):
    """How far each market's silence was known when a sweep last judged."""

    list_display = ("market", "judged")
    fieldsets = ((None, {"fields": ("market", "judged")}),)
    judged = instant_column("known_drained_to", "Judged to")


@admin.register(RejectedMessage)
class RejectedMessageAdmin(ReadOnlyAdmin):
    """Messages that could not be understood, whole."""

    list_display = ("received", "market", "reason", "message_id")
    list_filter = ("market",)
    search_fields = ("message_id__exact", "reason__icontains")
    search_help_text = "SQS message id or words of the reason"
    fieldsets = (
        (None, {"fields": ("market", "queue", "message_id", "reason", "sent", "received")}),
        ("Body", {"fields": ("whole_body",)}),
    )
    sent = instant_column("sent_at", "Sent")
    received = instant_column("received_at", "Received")

    @admin.display(description="Body")
    def whole_body(self, message: RejectedMessage) -> SafeString:
        """The body as received, character by character."""
        return preformatted(message.body)
