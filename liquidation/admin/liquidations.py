"""Liquidations as bank representatives see them: what waits for a person comes first."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from coruscant.admin.base import (
    NOTHING,
    AuditedAdmin,
    Card,
    ReadOnlyAdmin,
    ReadOnlyInline,
    amount_column,
    badge,
    cards,
    instant_column,
    link_to,
    preformatted,
    status_column,
)
from liquidation.admin import attention
from liquidation.admin.orders import ORDER_KINDS
from liquidation.models import ClaimFailure, Liquidation, LiquidationEvent, TradeOrder, Venue
from pricing.markets import Market

LIQUIDATION_KINDS = {"selling": "info", "waiting": "danger", "settled": "success"}


def _cards(_request: HttpRequest) -> list[Card]:
    """How much waits for a person."""
    listed = reverse("admin:liquidation_liquidation_changelist") + "?attention=yes"
    failures = reverse("admin:liquidation_claimfailure_changelist")
    waiting = attention.waiting(Liquidation.objects.all()).count()
    failed = ClaimFailure.objects.count()
    return [
        Card("Waiting for a person", str(waiting), "Liquidations", listed, "danger" if waiting else "success"),
        Card("Failed claims", str(failed), "Loans passed over", failures, "danger" if failed else "success"),
    ]


cards.append(_cards)


class AttentionFilter(admin.SimpleListFilter):
    """Liquidations that wait for a person, or should be looked at by one."""

    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice beside all."""
        return [("yes", "Waits for a person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Liquidation]) -> QuerySet[Liquidation]:
        """Only those that wait."""
        return attention.waiting(queryset) if self.value() == "yes" else queryset


class _OrderInline(ReadOnlyInline):
    model = TradeOrder
    verbose_name_plural = "Orders"
    fields = ("order", "market", "state", "ordered", "traded", "received", "sends", "last_outcome", "answered")
    ordering = ("sequence",)
    state = status_column(ORDER_KINDS)
    ordered = amount_column("quantity", "units", "Ordered")
    traded = amount_column("units_traded", "units", "Traded")
    received = amount_column("proceeds", "GC", "Proceeds")
    answered = instant_column("answered_at", "Answered")

    @admin.display(description="Order")
    def order(self, row: TradeOrder) -> str | SafeString:
        """A link with its number."""
        return link_to(row, f"No. {row.sequence}")


class _EventInline(ReadOnlyInline):
    model = LiquidationEvent
    verbose_name_plural = "Event"
    fields = ("event", "sent", "sends", "body")
    sent = instant_column("sent_at", "Sent")

    @admin.display(description="Event")
    def event(self, row: LiquidationEvent) -> str | SafeString:
        """A link."""
        return link_to(row)


@admin.register(Liquidation)
class LiquidationAdmin(AuditedAdmin):
    """All liquidations; those that wait for a person say why."""

    list_display = (
        "number", "of_loan", "state", "attention", "owed", "proceeds_gc", "sold", "price_gc", "claimed", "settled",
    )  # fmt: skip
    list_select_related = ("loan",)
    list_filter = ("status", AttentionFilter)
    search_fields = ("loan__loan_id__startswith", "loan__borrower_id__startswith", "correlation_id__exact")
    search_help_text = "How a loan id or borrower id begins, or a price event's id"
    fieldsets = (
        (None, {"fields": (("of_loan", "claimed"), ("state", "settled"), "attention")}),
        ("Claim", {"fields": (("owed", "price_gc"), ("units_then", "price_instant"), "quotes", "correlation_id")}),
        ("Sale", {"fields": (("sold", "proceeds_gc"), ("units_left", "surplus_gc"), ("due", "shortfall_gc"))}),
        ("Lease", {"fields": (("leased", "fence"),), "classes": ("collapse",)}),
    )
    inlines = (_OrderInline, _EventInline)

    state = status_column(LIQUIDATION_KINDS)
    price_gc = amount_column("price", "GC a unit", "Price")
    owed = amount_column("balance_at_claim", "GC", "Owed at claim")
    units_then = amount_column("collateral_at_claim", "units", "Collateral at claim")
    sold = amount_column("collateral_sold", "units", "Sold")
    proceeds_gc = amount_column("proceeds", "GC", "Proceeds")
    surplus_gc = amount_column("surplus", "GC", "Surplus, for the client")
    shortfall_gc = amount_column("shortfall", "GC", "Shortfall")
    units_left = amount_column("collateral_left", "units", "Collateral to return")
    price_instant = instant_column("price_at", "Instant of the price")
    claimed = instant_column("claimed_at", "Claimed")
    settled = instant_column("settled_at", "Settled")
    due = instant_column("due_at", "Due")
    leased = instant_column("leased_until", "Leased until")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Liquidation]:
        """Every liquidation with what makes it wait: no query per row."""
        rows: QuerySet[Liquidation] = super().get_queryset(request)
        return attention.annotate(rows)

    @admin.display(description="Liquidation", ordering="id")
    def number(self, row: Liquidation) -> str:
        """The number of the row."""
        return f"No. {row.pk}"

    @admin.display(description="Loan", ordering="loan__loan_id")
    def of_loan(self, row: Liquidation) -> str | SafeString:
        """A link."""
        return link_to(row.loan)

    @admin.display(description="Attention")
    def attention(self, row: Liquidation) -> str | SafeString:
        """Why a person should look."""
        why = attention.reason(row)
        return badge(why, "danger") if why else NOTHING

    @admin.display(description="Quotes behind the price")
    def quotes(self, row: Liquidation) -> str | SafeString:
        """The evidence, one line a quote, the best first."""
        lines = (
            (
                dict(Market.choices()).get(quote.get("market")),
                quote.get("price"),
                quote.get("sentAt"),
                quote.get("reference"),
            )
            for quote in row.evidence
        )
        return format_html_join("", "<div>{}: {} GC a unit, sent {}, reference {}</div>", lines) or NOTHING


@admin.register(LiquidationEvent)
class LiquidationEventAdmin(AuditedAdmin):
    """The outbox: what was, or is still to be, published."""

    list_display = ("event_id", "of_loan", "state", "made", "sent", "sends")
    list_select_related = ("liquidation__loan",)
    list_filter = (("sent_at", admin.EmptyFieldListFilter),)
    search_fields = ("event_id__exact", "liquidation__loan__loan_id__startswith")
    search_help_text = "An event id, or how a loan id begins"
    fieldsets = (
        (None, {"fields": ("event_id", "of_loan", "state", "made", "sent", "message_id", "sends", "due")}),
        ("Body", {"fields": ("whole_body",)}),
    )
    made = instant_column("created_at", "Made")
    sent = instant_column("sent_at", "Sent")
    due = instant_column("due_at", "Due")

    @admin.display(description="Loan")
    def of_loan(self, event: LiquidationEvent) -> str | SafeString:
        """A link."""
        return link_to(event.liquidation.loan)

    @admin.display(description="Status")
    def state(self, event: LiquidationEvent) -> SafeString:
        """Sent or not yet."""
        return badge("sent", "success") if event.sent_at else badge("to be sent", "warning")

    @admin.display(description="Body")
    def whole_body(self, event: LiquidationEvent) -> SafeString:
        """As published, byte for byte."""
        return preformatted(event.body)


@admin.register(Venue)
class VenueAdmin(ReadOnlyAdmin):
    """Where new orders go, and where they do not for a while."""

    list_display = ("market", "failures_in_row", "paused")
    fieldsets = ((None, {"fields": ("market", "failures_in_row", "paused")}),)
    paused = instant_column("paused_until", "No new orders until")


@admin.register(ClaimFailure)
class ClaimFailureAdmin(ReadOnlyAdmin):
    """Breached loans that the database would not let be claimed: someone must find out why."""

    list_display = ("failed", "of_loan", "price_gc", "reason")
    list_select_related = ("loan",)
    search_fields = ("loan__loan_id__startswith",)
    search_help_text = "How a loan id begins"
    fieldsets = ((None, {"fields": ("of_loan", "failed", "price_gc", "reason")}),)
    failed = instant_column("failed_at", "Latest try")
    price_gc = amount_column("price", "GC a unit", "Price")

    @admin.display(description="Loan")
    def of_loan(self, failure: ClaimFailure) -> str | SafeString:
        """A link."""
        return link_to(failure.loan)
