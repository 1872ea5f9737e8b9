"""What belongs to a loan, as bank representatives see it: postings, margin calls, and the requests that took effect."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin
from coruscant.admin.columns import (
    amount_column,
    column,
    id_column,
    instant_column,
    link_column,
    ratio_column,
)
from coruscant.admin.figures import NOTHING, badge, percent, preformatted
from coruscant.admin.filters import age_filter, option_filter
from loans import risk
from loans.models import AcceptedRequest, CollateralPosting, MarginCall, MarginNotice

_MOST_OF_A_REQUEST = 20

#: As the indexes of open margin calls and notices have it.
_OPEN = Q(closed_at__isnull=True)
OPEN_CALLS = option_filter(
    "status",
    "open",
    {
        "yes": ("Open", lambda rows: rows.filter(_OPEN)),
        "no": ("Closed", lambda rows: rows.filter(closed_at__isnull=False)),
    },
)
OPEN_FOR = age_filter("open for more than", "opened_at", _OPEN)
OPEN_NOTICES = option_filter(
    "status",
    "open",
    {
        "yes": ("Holds", lambda rows: rows.filter(ended_at__isnull=True)),
        "no": ("Ended", lambda rows: rows.filter(ended_at__isnull=False)),
    },
)


def loans_of_request(request_id: str) -> list[int]:
    """The loans (primary keys) that requests of this id were about; few, as each client has an id once."""
    found = AcceptedRequest.objects.filter(request_id=request_id)
    return list(found.order_by().values_list("loan_id", flat=True)[:_MOST_OF_A_REQUEST])


class _OfALoan:
    list_select_related = ("loan",)
    of_loan = link_column("Loan", lambda row: row.loan)


@admin.register(CollateralPosting)
class CollateralPostingAdmin(_OfALoan, AuditedAdmin):
    list_display = ("posted", "of_loan", "units", "of_request")
    totals = ("units",)
    search_fields = ("loan__loan_id__startswith",)
    search_help_text = "The beginning of a loan id, or a request id"
    of_request = id_column("request_id", "Request id")
    fields = ("of_loan", "units", "request_id", "posted")
    posted = instant_column("created_at", "Posted")
    units = amount_column("amount", "units", "Amount")

    def search_lookups(self, request: HttpRequest, term: str) -> Iterable[Q]:
        """Also by its request id, through the accepted requests, which have an index for it."""
        yield from super().search_lookups(request, term)
        yield Q(loan__in=loans_of_request(term), request_id=term)


def _ltv_then(row: Any) -> Decimal | None:
    return risk.ltv(row.outstanding_balance, row.collateral, row.price)


@admin.register(MarginCall)
class MarginCallAdmin(_OfALoan, AuditedAdmin):
    list_display = ("opened", "of_loan", "state", "price_gc", "balance_gc", "ltv_then", "closed", "why")
    list_filter = (OPEN_CALLS, OPEN_FOR, "close_reason")
    totals = ("balance_gc",)
    search_fields = ("loan__loan_id__startswith",)
    search_help_text = "The beginning of a loan id"
    fieldsets = (
        (None, {"fields": ("of_loan", "state", "opened", "closed", "why")}),
        ("At the call", {"fields": ("price_gc", "price_instant", "balance_gc", "units", "ltv_then")}),
    )
    opened = instant_column("opened_at", "Opened")
    closed = instant_column("closed_at", "Closed")
    price_gc = amount_column("price", "GC a unit", "Price")
    ltv_then = ratio_column("LTV", _ltv_then)
    why = column("Why closed", lambda call: call.get_close_reason_display() or NOTHING)
    price_instant = instant_column("price_at", "Instant of the price")
    balance_gc = amount_column("outstanding_balance", "GC", "Outstanding balance")
    units = amount_column("collateral", "units", "Collateral")
    state = column("Status", lambda call: badge("closed") if call.closed_at else badge("open", "warning"))


@admin.register(MarginNotice)
class MarginNoticeAdmin(_OfALoan, ReadOnlyAdmin):
    list_display = ("noticed", "of_loan", "price_gc", "ltv_then", "ended")
    list_filter = (OPEN_NOTICES,)
    search_fields = ("loan__loan_id__startswith",)
    search_help_text = "The beginning of a loan id"
    fieldsets = (
        (None, {"fields": ("of_loan", "noticed", "ended")}),
        ("At the notice", {"fields": ("of_setting", "price_gc", "price_instant", "balance_gc", "units", "ltv_then")}),
    )
    noticed = instant_column("noticed_at", "Given")
    ended = instant_column("ended_at", "Ended")
    price_gc = amount_column("price", "GC a unit", "Price")
    ltv_then = ratio_column("LTV", _ltv_then)
    of_setting = column("Notice at or above", lambda notice: percent(notice.notice_ltv))
    price_instant = instant_column("price_at", "Instant of the price")
    balance_gc = amount_column("outstanding_balance", "GC", "Outstanding balance")
    units = amount_column("collateral", "units", "Collateral")


@admin.register(AcceptedRequest)
class AcceptedRequestAdmin(_OfALoan, ReadOnlyAdmin):
    list_display = ("accepted", "endpoint", "shown_client", "of_request", "of_loan")
    list_filter = ("endpoint",)
    ordering = ("-id",)
    search_fields = ("request_id__exact", "client__exact")
    search_help_text = "A request id, or a client"
    of_request = id_column("request_id", "Request id")
    fieldsets = (
        (None, {"fields": ("endpoint", "shown_client", "request_id", "of_loan", "accepted", "content_digest")}),
        ("Answer", {"fields": ("body",)}),
    )
    accepted = instant_column("created_at", "Accepted")
    shown_client = column("Client", lambda request: request.client or "anonymous", "client")
    body = column("Body", lambda request: preformatted(request.response_body))
