"""What came through the markets' queues, as bank representatives see it: quotes, rejected messages, and the feeds."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.utils.html import format_html_join

from coruscant import clock
from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.columns import Export, amount_column, column, id_column, instant_column
from coruscant.admin.figures import NOTHING, badge, figure, preformatted, unit_price
from coruscant.admin.filters import option_filter
from pricing.guard import Alone
from pricing.models import Feed, FeedEvaluation, PriceQuote, RejectedMessage


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


def _of_a_day(wanted: Q) -> Any:
    """Such quotes of the last 24 hours, by the index of `remarkable_quotes`, which has each of these conditions."""

    def narrow(rows: QuerySet[PriceQuote]) -> QuerySet[PriceQuote]:
        return rows.filter(wanted, sent_at__gte=clock.now() - timedelta(days=1))

    return narrow


USE = option_filter(
    "use",
    "use",
    {
        "waiting": ("Not evaluated yet", lambda rows: rows.filter(evaluated_at__isnull=True)),
        "late": ("Too late, of 24 hours", _of_a_day(Q(too_late=True))),
        "alone": ("Jumped alone, of 24 hours", _of_a_day(~Q(alone=Alone.NO))),
        "confirmed": ("A jump, confirmed, of 24 hours", _of_a_day(~Q(confirmed_by=""))),
        "unused": (
            "Never its market's price, of 24 hours",
            _of_a_day(Q(effective_from__isnull=True, evaluated_at__isnull=False)),
        ),
    },
)


def _best(quote: PriceQuote) -> Decimal | None:
    """What the market pays for a unit, if few are sold."""
    return Decimal(quote.sell[0][1]) if quote.sell else None


def use_of(quote: PriceQuote) -> str:
    """Whether loans were evaluated at this quote's prices, and what the guard thought of it."""
    if quote.too_late:
        return badge("too late", "warning", "Older than the age limit when received: no liquidation on it")
    if quote.evaluated_at is None:
        return badge("not evaluated yet", "info")
    if quote.alone:
        return badge("jumped alone", "warning", "No other market bears out the jump by which it came to this level")
    return badge("evaluated", "success")


@admin.register(PriceQuote)
class PriceQuoteAdmin(ReadOnlyAdmin):
    list_display = ("sent", "market", "best", "use", "received", "evaluated", "of_event")
    list_filter = ("market", USE)
    ordering = ("-id",)  # as they were received, which needs no sorting
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
    best = column(
        "Sells at", lambda quote: figure(_best(quote), "GC a unit"),
        short=lambda quote, _listed: unit_price(_best(quote)),
        export=Export("Sells at (GC a unit)", _best), is_figure=True,
    )  # fmt: skip
    of_event = id_column("event_id", "Event")
    use = column("Use", use_of)
    sell_curve = column("Sell", lambda quote: _curve(quote.sell))
    buy_curve = column("Buy", lambda quote: _curve(quote.buy))


@admin.register(RejectedMessage)
class RejectedMessageAdmin(ReadOnlyAdmin):
    list_display = ("received", "market", "reason", "of_message")
    list_filter = ("market",)
    search_fields = ("message_id__exact", "reason__icontains")
    search_help_text = "SQS message id or words of the reason"
    fieldsets = (
        (None, {"fields": ("market", "queue", "message_id", "reason", "sent", "received")}),
        ("Body", {"fields": ("beginning", "body_sha256")}),
    )
    of_message = id_column("message_id", "Message")
    sent = instant_column("sent_at", "Sent")
    received = instant_column("received_at", "Received")
    beginning = column("Its first 64 KiB", lambda message: preformatted(message.body) if message.body else "Not kept")
