"""What belongs to a loan, as bank representatives see it: postings, margin calls, and the requests that took effect."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet
from django.utils.safestring import SafeString

from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline
from coruscant.admin.figures import NOTHING, amount_column, badge, instant_column, link_to, percent, preformatted
from loans import risk
from loans.models import AcceptedRequest, CollateralPosting, MarginCall


def open_margin_calls() -> QuerySet[MarginCall]:
    """The open margin calls of the loan of an outer query."""
    return MarginCall.objects.filter(loan=OuterRef("pk"), closed_at__isnull=True)


class _OfALoan:
    """A link to the loan that a row belongs to."""

    list_select_related = ("loan",)

    @admin.display(description="Loan")
    def of_loan(self, row: Any) -> str | SafeString:
        return link_to(row.loan)


class _PostingColumns:
    posted = instant_column("created_at", "Posted")
    units = amount_column("amount", "units", "Amount")


class PostingInline(_PostingColumns, ReadOnlyInline):
    """A loan's postings, on its page."""

    model = CollateralPosting
    verbose_name_plural = "Collateral posted"
    fields: Any = ("posted", "units", "request_id")


@admin.register(CollateralPosting)
class CollateralPostingAdmin(_PostingColumns, _OfALoan, AuditedAdmin):
    """All collateral posted."""

    list_display = ("posted", "of_loan", "units", "request_id")
    list_filter = ("created_at",)
    search_fields = ("loan__loan_id__startswith", "request_id__exact")
    search_help_text = "The beginning of a loan id, or a request id"
    fieldsets = ((None, {"fields": ("of_loan", "units", "request_id", "posted")}),)


class _MarginCallColumns:
    """What the list, the page and the inline share."""

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
class MarginCallAdmin(_MarginCallColumns, _OfALoan, AuditedAdmin):
    """All margin calls."""

    list_display = ("opened", "of_loan", "state", "price_gc", "ltv_then", "closed", "why")
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

    @admin.display(description="Status")
    def state(self, margin_call: MarginCall) -> SafeString:
        """Open or closed."""
        return badge("closed") if margin_call.closed_at else badge("open", "warning")


@admin.register(AcceptedRequest)
class AcceptedRequestAdmin(_OfALoan, ReadOnlyAdmin):
    """API requests that took effect, each with the body it was answered with, byte for byte."""

    list_display = ("accepted", "endpoint", "shown_client", "request_id", "of_loan")
    list_filter = ("endpoint",)
    ordering = ("-id",)
    search_fields = ("request_id__exact", "loan__loan_id__startswith", "client__exact")
    search_help_text = "A request id, the beginning of a loan id, or a client"
    fieldsets = (
        (None, {"fields": ("endpoint", "shown_client", "request_id", "of_loan", "accepted", "content_digest")}),
        ("Answer", {"fields": ("body",)}),
    )
    accepted = instant_column("created_at", "Accepted")

    @admin.display(description="Client", ordering="client")
    def shown_client(self, request: AcceptedRequest) -> str:
        """The name of the client's user."""
        return request.client or "anonymous"

    @admin.display(description="Body")
    def body(self, request: AcceptedRequest) -> SafeString:
        """The stored answer."""
        return preformatted(request.response_body)
