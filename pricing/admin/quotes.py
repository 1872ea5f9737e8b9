"""What came through the markets' queues, as bank representatives see it: quotes, rejected messages, and the feeds."""

from django.contrib import admin
from django.utils.html import format_html_join

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.columns import amount_column, column, instant_column
from coruscant.admin.figures import NOTHING, badge, preformatted
from coruscant.admin.overview import cards, count_card
from pricing.models import Feed, FeedEvaluation, PriceQuote, RejectedMessage

cards.append(
    lambda _request: count_card(
        "Rejected messages", RejectedMessage.objects.all(), "Could not be understood", some="warning", none=""
    )
)


@admin.register(Feed)
class FeedAdmin(ReadOnlyAdmin):
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
class FeedEvaluationAdmin(ReadOnlyAdmin):
    list_display = fields = ("market", "drained")
    drained = instant_column("known_drained_to", "Known to be drained to")


def _curve(levels: list[list[str]]) -> str:
    """A curve, level by level: each quantity with its unit price."""
    return format_html_join("", "<div>{} units: {} GC a unit</div>", levels) or NOTHING


@admin.register(PriceQuote)
class PriceQuoteAdmin(ReadOnlyAdmin):
    list_display = ("sent", "market", "best", "use", "received", "evaluated", "event_id")
    list_filter = ("market", "too_late", ("evaluated_at", admin.EmptyFieldListFilter))
    search_fields = ("message_id__exact", "event_id__exact")
    search_help_text = "SQS message id or the market's event id"
    fieldsets = (
        (None, {"fields": ("market", "event_id", "message_id", "own_time", "use")}),
        ("Prices", {"fields": ("sell_curve", "buy_curve")}),
        ("Times", {"fields": ("sent", "received", "evaluated")}),
        ("As evaluated", {"fields": ("effective", "came_alone", "confirmed")}),
    )
    sent = instant_column("sent_at", "Sent")
    received = instant_column("received_at", "Received")
    evaluated = instant_column("evaluated_at", "Evaluated")
    effective = instant_column("effective_from", "Its market's price from")
    came_alone = column("Alone", lambda quote: quote.get_alone_display() if quote.alone else NOTHING)
    confirmed = column("Confirmed by", lambda quote: quote.confirmed_by or NOTHING)
    own_time = amount_column("market_time", "s", "Market's own time")
    best = column("Sells at", lambda quote: f"{quote.sell[0][1]} GC a unit" if quote.sell else NOTHING)
    sell_curve = column("Sell", lambda quote: _curve(quote.sell))
    buy_curve = column("Buy", lambda quote: _curve(quote.buy))

    @admin.display(description="Use")
    def use(self, quote: PriceQuote) -> str:
        """Whether loans were evaluated at this quote's prices."""
        if quote.too_late:
            return badge("too late", "warning", "Older than the age limit when received: no liquidation on it")
        return badge("evaluated", "success") if quote.evaluated_at else badge("not evaluated yet", "info")


@admin.register(RejectedMessage)
class RejectedMessageAdmin(ReadOnlyAdmin):
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
    whole_body = column("Body", lambda message: preformatted(message.body))
