"""What belongs to a loan, as bank representatives see it: postings, margin calls, and the requests that took effect."""

from typing import Any

from django.contrib import admin

from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline
from coruscant.admin.columns import amount_column, column, instant_column
from coruscant.admin.figures import NOTHING, badge, link_to, percent, preformatted
from loans import risk
from loans.models import AcceptedRequest, CollateralPosting, MarginCall, MarginNotice


class _OfALoan:
    list_select_related = ("loan",)
    of_loan = column("Loan", lambda row: link_to(row.loan))


class PostingInline(ReadOnlyInline):
    model = CollateralPosting
    verbose_name_plural = "Collateral posted"
    fields = ("posted", "units", "request_id")
    posted = instant_column("created_at", "Posted")
    units = amount_column("amount", "units", "Amount")


@admin.register(CollateralPosting)
class CollateralPostingAdmin(_OfALoan, AuditedAdmin):
    list_display = ("posted", "of_loan", "units", "request_id")
    list_filter = ("created_at",)
    search_fields = ("loan__loan_id__startswith", "request_id__exact")
    search_help_text = "The beginning of a loan id, or a request id"
    fields = ("of_loan", "units", "request_id", "posted")
    posted = instant_column("created_at", "Posted")
    units = amount_column("amount", "units", "Amount")


class _MarginCallColumns:
    opened = instant_column("opened_at", "Opened")
    closed = instant_column("closed_at", "Closed")
    price_gc = amount_column("price", "GC a unit", "Price")
    ltv_then = column("LTV", lambda row: percent(risk.ltv(row.outstanding_balance, row.collateral, row.price)))
    why = column("Why closed", lambda call: call.get_close_reason_display() or NOTHING)


class MarginCallInline(_MarginCallColumns, ReadOnlyInline):
    model = MarginCall
    verbose_name_plural = "Margin calls"
    fields: Any = ("opened", "price_gc", "ltv_then", "closed", "why")


@admin.register(MarginCall)
class MarginCallAdmin(_MarginCallColumns, _OfALoan, AuditedAdmin):
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
    state = column("Status", lambda call: badge("closed") if call.closed_at else badge("open", "warning"))


class _MarginNoticeColumns:
    noticed = instant_column("noticed_at", "Given")
    ended = instant_column("ended_at", "Ended")
    price_gc = amount_column("price", "GC a unit", "Price")
    ltv_then = column("LTV", lambda row: percent(risk.ltv(row.outstanding_balance, row.collateral, row.price)))


class MarginNoticeInline(_MarginNoticeColumns, ReadOnlyInline):
    model = MarginNotice
    verbose_name_plural = "Notices before a margin call"
    fields = ("noticed", "price_gc", "ltv_then", "ended")


@admin.register(MarginNotice)
class MarginNoticeAdmin(_MarginNoticeColumns, _OfALoan, ReadOnlyAdmin):
    list_display = ("noticed", "of_loan", "price_gc", "ltv_then", "ended")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    search_fields = ("loan__loan_id__startswith",)
    search_help_text = "The beginning of a loan id"
    fieldsets = (
        (None, {"fields": ("of_loan", "noticed", "ended")}),
        ("At the notice", {"fields": ("of_setting", "price_gc", "price_instant", "balance_gc", "units", "ltv_then")}),
    )
    of_setting = column("Notice at or above", lambda notice: percent(notice.notice_ltv))
    price_instant = instant_column("price_at", "Instant of the price")
    balance_gc = amount_column("outstanding_balance", "GC", "Outstanding balance")
    units = amount_column("collateral", "units", "Collateral")


@admin.register(AcceptedRequest)
class AcceptedRequestAdmin(_OfALoan, ReadOnlyAdmin):
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
    shown_client = column("Client", lambda request: request.client or "anonymous", "client")
    body = column("Body", lambda request: preformatted(request.response_body))
