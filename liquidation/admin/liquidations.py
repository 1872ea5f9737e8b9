"""Liquidations, their events and failed claims as bank representatives see them, and how many need a person."""

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from unfold.enums import ActionVariant

from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline
from coruscant.admin.columns import (
    Export,
    amount_column,
    column,
    instant_column,
    link_column,
    own_id_column,
    status_column,
)
from coruscant.admin.commands import command_button, command_page
from coruscant.admin.figures import NOTHING, badge, link_to, page_of, preformatted
from coruscant.admin.filters import age_filter, option_filter, over_filter, sent_filter, unsent_filter
from coruscant.admin.overview import cards, count_card
from coruscant.approvals.pages import WhyForm, ask_on_page
from liquidation.admin import attention
from liquidation.admin.orders import OrderInline
from liquidation.models import UNSETTLED_STATUSES, ClaimFailure, Liquidation, LiquidationEvent
from liquidation.reconciliation import two_people
from pricing.markets import Market

cards.append(lambda _request: count_card("Failed claims", ClaimFailure.objects.all(), "Loans passed over"))
cards.append(
    lambda _request: count_card(
        "Waiting for a person", attention.waiting(Liquidation.objects.all()), "Liquidations", query="?attention=yes"
    )
)


#: By what the index by status finds.
_UNSETTLED = Q(status__in=UNSETTLED_STATUSES)

STAGES = option_filter("stage", "stage", {"unsettled": ("Unsettled", lambda rows: rows.filter(_UNSETTLED))})
UNSETTLED_FOR = age_filter("unsettled for more than", "claimed_at", _UNSETTLED)
ATTENTION = option_filter("attention", "attention", {"yes": ("Waits for a person", attention.waiting)})
HELD = option_filter("held", "held", {"yes": ("Held since a restore", lambda rows: rows.filter(held_by__isnull=False))})
OWED = over_filter("owed at claim", "balance_at_claim", 1_000, 10_000, 100_000)


class EventInline(ReadOnlyInline):
    model = LiquidationEvent
    verbose_name_plural = "Event"
    fields = ("event", "sent", "sends", "body")
    event = column("Event", link_to)
    sent = instant_column("sent_at", "Sent")


def _quotes(row: Liquidation) -> str:
    """The evidence, one line a quote, the best first; then the guard's settings."""
    labels = dict(Market.choices())
    lines = [
        f"{labels.get(quote['market'])}: {quote['price']} GC a unit, sent {quote['sentAt']}, reference"
        f" {quote['reference']}{_remarks(quote)}"
        for quote in row.evidence
        if "market" in quote
    ]
    lines += [
        f"Guard {entry['guard']}: jump {entry['jump']}, agreement {entry['agreement']}, dispute {entry['dispute']}"
        for entry in row.evidence
        if "guard" in entry
    ]
    return format_html_join("", "<div>{}</div>", ((line,) for line in lines)) or NOTHING


def _remarks(quote: dict[str, Any]) -> str:
    confirmed = f", confirmed by {quote['confirmedBy']}" if "confirmedBy" in quote else ""
    return f"{confirmed}, suspect: it did not count" if quote.get("suspect") else confirmed


@admin.register(Liquidation)
class LiquidationAdmin(AuditedAdmin):
    list_display = (
        "number", "of_loan", "state", "attention", "held", "owed", "proceeds_gc", "sold", "price_gc", "claimed",
        "settled",
    )  # fmt: skip
    list_select_related = ("loan", "held_by")
    list_filter = (STAGES, "status", ATTENTION, UNSETTLED_FOR, OWED, HELD)
    totals = ("owed", "proceeds_gc", "sold")
    search_fields = ("loan__loan_id__startswith", "loan__borrower_id__startswith")
    search_help_text = "The beginning of a loan id or borrower id, or a price event as market:id"
    fieldsets = (
        (None, {"fields": (("of_loan", "claimed"), ("state", "settled"), ("attention", "held"))}),
        ("Claim", {"fields": (("owed", "price_gc"), ("units_then", "price_instant"), "quotes", "correlation_id")}),
        ("Sale", {"fields": (("sold", "proceeds_gc"), ("units_left", "surplus_gc"), ("due", "shortfall_gc"))}),
        ("Lease", {"fields": (("leased", "fence"),), "classes": ("collapse",)}),
    )
    inlines = (OrderInline, EventInline)
    actions_detail = ("release_sale",)
    number = column("Liquidation", lambda row: f"No. {row.pk}", "id")
    of_loan = link_column("Loan", lambda row: row.loan, "loan__loan_id")
    state = status_column({"selling": "info", "waiting": "danger", "settled": "success"})
    attention = column(
        "Attention", lambda row: badge(getattr(row, "why_attention", ""), "danger"),
        export=Export("Attention", lambda row: row.why_attention),
    )  # fmt: skip
    held = column("Held since", lambda row: link_to(row.held_by), "held_by")
    price_gc = amount_column("price", "GC a unit", "Price")
    owed = amount_column("balance_at_claim", "GC", "Owed at claim")
    units_then = amount_column("collateral_at_claim", "units", "Collateral at claim")
    sold = amount_column("collateral_sold", "units", "Sold")
    proceeds_gc = amount_column("proceeds", "GC", "Proceeds")
    surplus_gc = amount_column("surplus", "GC", "Surplus, for the client")
    shortfall_gc = amount_column("shortfall", "GC", "Shortfall")
    units_left = amount_column("collateral_left", "units", "Collateral to return")
    price_instant = instant_column("price_at", "Instant of the price")
    quotes = column("Quotes behind the price", _quotes)
    claimed = instant_column("claimed_at", "Claimed")
    settled = instant_column("settled_at", "Settled")
    due = instant_column("due_at", "Due")
    leased = instant_column("leased_until", "Leased until")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Liquidation]:
        """The liquidations, each with why it needs attention: no query a row."""
        return attention.annotate(super().get_queryset(request))

    def search_lookups(self, request: HttpRequest, term: str) -> Iterable[Q]:
        """Price events have no index, so only what may be one is looked up among them."""
        return [Q(correlation_id=term)] if ":" in term else super().search_lookups(request, term)

    def has_release_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may ask for the action."""
        return bool(request.user.has_perm(two_people.ANSWER_FOR_ORDERS))

    @command_button("Release sale", icon="lock_open", permission="release", kind=ActionVariant.DANGER)
    def release_sale(self, request: HttpRequest, object_id: str) -> HttpResponse:
        sale: Liquidation = self.row_or_404(request, object_id)

        def run(why: str) -> str:
            return ask_on_page(request, two_people.RELEASE_SALE, {"liquidation_id": sale.pk}, why)

        return command_page(
            request, WhyForm(request.POST if request.method == "POST" else None), run, back=page_of(sale),
            title="Release sale", submit_text="Ask for it",
            explanation=f"The sale of loan {sale.loan.loan_id}, or its event, goes on when somebody else agrees,"
            " although no statements show what the markets traded for it since the restore: that may be sold again. It"
            " needs no release if you have statements: once all are compared it goes on by itself.",
        )  # fmt: skip

    def commands_of(self, request: HttpRequest, row: Liquidation) -> Collection[str]:
        return ("release_sale",) if row.held_by_id else ()


@admin.register(LiquidationEvent)
class LiquidationEventAdmin(AuditedAdmin):
    list_display = ("event", "of_loan", "state", "made", "sent", "sends")
    list_select_related = ("liquidation__loan",)
    list_filter = (sent_filter(), unsent_filter())
    search_fields = ("event_id__exact", "liquidation__loan__loan_id__startswith")
    search_help_text = "An event id, or the beginning of a loan id"
    fieldsets = (
        (None, {"fields": ("event_id", "of_loan", "state", "made", "sent", "message_id", "sends", "due")}),
        ("Body", {"fields": ("whole_body",)}),
    )
    event = own_id_column("event_id", "Event")
    of_loan = link_column("Loan", lambda event: event.liquidation.loan)
    state = column("Status", lambda row: badge("sent", "success") if row.sent_at else badge("to be sent", "warning"))
    made = instant_column("created_at", "Made")
    sent = instant_column("sent_at", "Sent")
    due = instant_column("due_at", "Due")
    whole_body = column("Body", lambda event: preformatted(event.body))


@admin.register(ClaimFailure)
class ClaimFailureAdmin(ReadOnlyAdmin):
    list_display = ("failed", "of_loan", "price_gc", "reason")
    list_select_related = ("loan",)
    search_fields = ("loan__loan_id__startswith",)
    search_help_text = "The beginning of a loan id"
    fields = ("of_loan", "failed", "price_gc", "reason")
    of_loan = link_column("Loan", lambda failure: failure.loan)
    failed = instant_column("failed_at", "Latest try")
    price_gc = amount_column("price", "GC a unit", "Price")
