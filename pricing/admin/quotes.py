"""Quotes as bank representatives see them."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.figures import NOTHING, amount_column, badge, instant_column
from pricing.models import PriceQuote


def _curve(levels: list[list[str]]) -> str | SafeString:
    """A curve, level by level: each quantity with its unit price."""
    if not levels:
        return NOTHING
    return format_html_join("", "<div>{} units: {} GC a unit</div>", levels)


@admin.register(PriceQuote)
class PriceQuoteAdmin(ReadOnlyAdmin):
    """Price events as received."""

    list_display = ("sent", "market", "best", "use", "received", "evaluated", "event_id")
    list_filter = ("market", "too_late", ("evaluated_at", admin.EmptyFieldListFilter))
    search_fields = ("message_id__exact", "event_id__exact")
    search_help_text = "SQS message id or the market's event id"
    fieldsets = (
        (None, {"fields": ("market", "event_id", "message_id", "own_time", "use")}),
        ("Prices", {"fields": ("sell_curve", "buy_curve")}),
        ("Times", {"fields": ("sent", "received", "evaluated")}),
    )
    sent = instant_column("sent_at", "Sent")
    received = instant_column("received_at", "Received")
    evaluated = instant_column("evaluated_at", "Evaluated")
    own_time = amount_column("market_time", "s", "Market's own time")

    @admin.display(description="Sells at")
    def best(self, quote: PriceQuote) -> str:
        """The first level of the sell curve."""
        return f"{quote.sell[0][1]} GC a unit" if quote.sell else NOTHING

    @admin.display(description="Use")
    def use(self, quote: PriceQuote) -> SafeString:
        """Whether loans were evaluated at this quote's prices."""
        if quote.too_late:
            return badge("too late", "warning", "Older than the age limit when received: no liquidation on it")
        return badge("evaluated", "success") if quote.evaluated_at else badge("not evaluated yet", "info")

    @admin.display(description="Sell")
    def sell_curve(self, quote: PriceQuote) -> str | SafeString:
        """What selling so many units brings."""
        return _curve(quote.sell)

    @admin.display(description="Buy")
    def buy_curve(self, quote: PriceQuote) -> str | SafeString:
        """What buying so many units costs."""
        return _curve(quote.buy)
