"""Margin calls as bank representatives see them."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet
from django.utils.safestring import SafeString

from coruscant.admin.base import AuditedAdmin, ReadOnlyInline
from coruscant.admin.figures import NOTHING, amount_column, badge, instant_column, link_to, percent
from loans import risk
from loans.models import MarginCall


def open_margin_calls() -> QuerySet[MarginCall]:
    """The open margin calls of the loan of an outer query."""
    return MarginCall.objects.filter(loan=OuterRef("pk"), closed_at__isnull=True)


class _MarginCallColumns:
    """What the list, the page and the inline show alike."""

    opened = instant_column("opened_at", "Opened")
    closed = instant_column("closed_at", "Closed")
    price_gc = amount_column("price", "GC a unit", "Price")

    @admin.display(description="LTV")
    def ltv_then(self, margin_call: MarginCall) -> str:
        """At the call."""
        return percent(risk.ltv(margin_call.outstanding_balance, margin_call.collateral, margin_call.price))

    @admin.display(description="Why closed")
    def why(self, margin_call: MarginCall) -> str:
        """The reason, in words."""
        return margin_call.get_close_reason_display() or NOTHING


class MarginCallInline(_MarginCallColumns, ReadOnlyInline):
    """A loan's margin calls, on its page."""

    model = MarginCall
    verbose_name_plural = "Margin calls"
    fields: Any = ("opened", "price_gc", "ltv_then", "closed", "why")


@admin.register(MarginCall)
class MarginCallAdmin(_MarginCallColumns, AuditedAdmin):
    """All margin calls."""

    list_display = ("opened", "of_loan", "state", "price_gc", "ltv_then", "closed", "why")
    list_select_related = ("loan",)
    list_filter = (("closed_at", admin.EmptyFieldListFilter), "close_reason")
    search_fields = ("loan__loan_id__startswith",)
    search_help_text = "The beginning of a loan id"
    fieldsets = (
        (None, {"fields": ("of_loan", "state", "opened", "closed", "why")}),
        ("At the call", {"fields": ("price_gc", "price_instant", "balance_gc", "units", "ltv_then")}),
    )
    price_instant = instant_column("price_at", "Instant of the price")
    balance_gc = amount_column("outstanding_balance", "GC", "Outstanding balance")
    units = amount_column("collateral", "units", "Collateral")

    @admin.display(description="Loan")
    def of_loan(self, margin_call: MarginCall) -> str | SafeString:
        """A link."""
        return link_to(margin_call.loan)

    @admin.display(description="Status")
    def state(self, margin_call: MarginCall) -> SafeString:
        """Open or closed."""
        return badge("closed") if margin_call.closed_at else badge("open", "warning")
