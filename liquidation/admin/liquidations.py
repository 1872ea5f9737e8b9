"""Liquidations as bank representatives see them, and how many need a person's attention."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from coruscant.admin.base import AuditedAdmin
from coruscant.admin.figures import NOTHING, amount_column, badge, instant_column, link_to, status_column
from coruscant.admin.overview import cards, count_card
from liquidation.admin import attention
from liquidation.admin.events import EventInline
from liquidation.admin.orders import OrderInline
from liquidation.models import Liquidation
from pricing.markets import Market

LIQUIDATION_KINDS = {"selling": "info", "waiting": "danger", "settled": "success"}


cards.append(
    lambda _request: count_card(
        "Waiting for a person", attention.waiting(Liquidation.objects.all()), "Liquidations", query="?attention=yes"
    )
)


class AttentionFilter(admin.SimpleListFilter):
    """Liquidations that wait for a person, or should be looked at by one."""

    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice, besides all."""
        return [("yes", "Waits for a person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Liquidation]) -> QuerySet[Liquidation]:
        """Only those that wait."""
        return attention.waiting(queryset) if self.value() == "yes" else queryset


@admin.register(Liquidation)
class LiquidationAdmin(AuditedAdmin):
    """All liquidations; one that waits for a person says why."""

    list_display = (
        "number", "of_loan", "state", "attention", "owed", "proceeds_gc", "sold", "price_gc", "claimed", "settled",
    )  # fmt: skip
    list_select_related = ("loan",)
    list_filter = ("status", AttentionFilter)
    search_fields = ("loan__loan_id__startswith", "loan__borrower_id__startswith", "correlation_id__exact")
    search_help_text = "The beginning of a loan id or borrower id, or a price event's id"
    fieldsets = (
        (None, {"fields": (("of_loan", "claimed"), ("state", "settled"), "attention")}),
        ("Claim", {"fields": (("owed", "price_gc"), ("units_then", "price_instant"), "quotes", "correlation_id")}),
        ("Sale", {"fields": (("sold", "proceeds_gc"), ("units_left", "surplus_gc"), ("due", "shortfall_gc"))}),
        ("Lease", {"fields": (("leased", "fence"),), "classes": ("collapse",)}),
    )
    inlines = (OrderInline, EventInline)

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
        """The liquidations, each with why it needs attention: no query a row."""
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
    def attention(self, row: Any) -> str | SafeString:
        """Why a person should look."""
        why = getattr(row, "why_attention", "")
        return badge(why, "danger") if why else NOTHING

    @admin.display(description="Quotes behind the price")
    def quotes(self, row: Liquidation) -> str | SafeString:
        """The evidence, one line a quote, the best first."""
        labels = dict(Market.choices())
        lines = (
            (labels.get(quote.get("market")), *map(quote.get, ("price", "sentAt", "reference")))
            for quote in row.evidence
        )
        return format_html_join("", "<div>{}: {} GC a unit, sent {}, reference {}</div>", lines) or NOTHING
