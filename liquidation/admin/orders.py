"""Orders and venues as bank representatives see them, and what they answer for an order: it traded, or not."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from unfold.enums import ActionVariant

from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline
from coruscant.admin.columns import (
    amount_column,
    column,
    instant_column,
    link_column,
    own_id_column,
    status_column,
)
from coruscant.admin.commands import AmountFormField, command_button, command_page
from coruscant.admin.figures import figure, link_to, page_of, preformatted
from coruscant.admin.filters import age_filter, option_filter
from coruscant.approvals.pages import WhyForm, ask_on_page, why_field
from liquidation import resolution, two_people
from liquidation.models import PENDING_ORDER_STATUSES, OrderAnswer, OrderStatus, TradeOrder, Venue

#: As the index of pending orders has it.
_PENDING = Q(status__in=PENDING_ORDER_STATUSES)
PENDING = option_filter("verdict", "verdict", {"none": ("None yet", lambda rows: rows.filter(_PENDING))})
STALE = option_filter("stale", "stale", {"yes": ("Decided nothing", lambda rows: rows.filter(stale=True))})
PENDING_FOR = age_filter("without a verdict for more than", "created_at", _PENDING)


class TradedForm(forms.Form):
    """The trade, as the market reports it: of no more units than were ordered."""

    units = AmountFormField(label="Units traded")
    proceeds = AmountFormField(label="Proceeds", help_text="GC the market paid in total")
    why = why_field()

    def __init__(self, *args: Any, ordered: Decimal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units, shown = self.fields["units"], figure(ordered)
        units.help_text = f"At most the {shown} ordered"
        too_many = f"The order was for {shown} units: more cannot have been traded."
        units.validators.append(MaxValueValidator(ordered, too_many))


class _OrderColumns:
    state = status_column({"open": "info", "unknown": "warning", "unresolved": "danger", "filled": "success"})
    ordered = amount_column("quantity", "units", "Ordered")
    traded = amount_column("units_traded", "units", "Traded")
    received = amount_column("proceeds", "GC", "Proceeds")


class OrderInline(_OrderColumns, ReadOnlyInline):
    model = TradeOrder
    verbose_name_plural = "Orders"
    fields: Any = ("order", "market", "state", "ordered", "traded", "received", "sends", "answered")
    ordering = ("sequence",)
    order = column("Order", lambda row: link_to(row, f"No. {row.sequence}"))
    answered = instant_column("answered_at", "Answered")


class _AnswerColumns:
    received = instant_column("received_at", "Received")
    said = column("What the market said", lambda answer: preformatted(answer.text))


class AnswerInline(_AnswerColumns, ReadOnlyInline):
    """Every answer so far. A stale one decided nothing; whoever resolves the order should read it."""

    model = OrderAnswer
    verbose_name_plural = "Answers"
    fields: Any = ("send", "received", "kind", "stale", "said")
    ordering = ("send",)


@admin.register(TradeOrder)
class TradeOrderAdmin(_OrderColumns, AuditedAdmin):
    list_display = (
        "of_request", "of_loan", "market", "state", "ordered", "traded", "received", "sends", "made",
    )  # fmt: skip
    list_select_related = ("liquidation__loan",)
    list_filter = (PENDING, "status", PENDING_FOR, "market")
    totals = ("ordered", "traded", "received")
    search_fields = ("request_id__exact", "liquidation__loan__loan_id__startswith")
    search_help_text = "A request id, a market's order id, or the beginning of a loan id"
    fieldsets = (
        (None, {"fields": ("request_id", "of_liquidation", "of_loan", "sequence", "market", "state")}),
        ("Order", {"fields": ("ordered", "quoted", "body", "made", "sends", "due")}),
        ("Verdict", {"fields": ("venue_order_id", "traded", "received", "answered")}),
    )
    inlines = (AnswerInline,)
    actions_detail = ("market_did_trade", "market_did_not_trade", "stop_sending")
    has_resolve_permission = admin.ModelAdmin.has_change_permission  # who may change orders may resolve them
    of_request = own_id_column("request_id", "Request id")
    of_loan = link_column("Loan", lambda order: order.liquidation.loan)
    of_liquidation = column("Liquidation", lambda row: link_to(row.liquidation, f"No. {row.liquidation_id}"))
    quoted = amount_column("quoted_unit_price", "GC a unit", "Expected price")
    body = column("Body as sent", lambda order: preformatted(order.payload))
    made = instant_column("created_at", "Made")
    answered = instant_column("answered_at", "Verdict booked")
    due = instant_column("due_at", "Not sent again before")

    def search_lookups(self, request: HttpRequest, term: str) -> Iterable[Q]:
        """Also by the market's id, as its index has it."""
        yield from super().search_lookups(request, term)
        yield Q(venue_order_id=term) & ~Q(venue_order_id="")

    @command_button("Market did trade", icon="check", permission="resolve", kind=ActionVariant.SUCCESS)
    def market_did_trade(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order: TradeOrder = self.row_or_404(request, object_id)

        def run(units: Decimal, proceeds: Decimal, why: str) -> str:
            figures: dict[str, Any] = {"order_id": order.pk, "units": units, "proceeds": proceeds}
            try:
                resolution.resolve_as_traded(**figures, **_actor(request))
            except resolution.SecondPersonNeeded:
                return ask_on_page(request, two_people.TRADED, figures, why)
            return f"Booked: the market traded {figure(units)} units for {figure(proceeds)} GC."

        form = TradedForm(request.POST or None, ordered=order.quantity)
        return command_page(
            request, form, run, back=page_of(order), title="Market did trade", submit_text="Book the trade",
            explanation=f"Enter what {order.get_market_display()} says of the order {order.request_id}. "
            "It is booked like an answer of the market, under your name, and cannot be undone. Figures far from the "
            "market's prices are booked only when somebody else agrees.",
        )  # fmt: skip

    @command_button("Market did not trade", icon="close", permission="resolve", kind=ActionVariant.DANGER)
    def market_did_not_trade(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order: TradeOrder = self.row_or_404(request, object_id)

        def run(why: str) -> str:
            try:
                resolution.resolve_as_not_traded(order_id=order.pk, **_actor(request))
            except resolution.SecondPersonNeeded:
                return ask_on_page(request, two_people.NOT_TRADED, {"order_id": order.pk}, why)
            return "Booked: the market traded nothing. The sale goes on with a new order."

        return command_page(
            request, WhyForm(request.POST if request.method == "POST" else None), run,
            back=page_of(order), title="Market did not trade", submit_text="Book as not traded",
            explanation=f"Only if {order.get_market_display()} says that the order {order.request_id} never traded: "
            "the same units are then ordered again. It is booked under your name and cannot be undone.",
        )  # fmt: skip

    @command_button("Stop sending", icon="stop_circle", permission="resolve", kind=ActionVariant.WARNING)
    def stop_sending(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order: TradeOrder = self.row_or_404(request, object_id)

        def run() -> str:
            resolution.stop_sending(order_id=order.pk, **_actor(request))
            return "The order is not sent any more. Ask the market what became of it, and say so here."

        return command_page(
            request, forms.Form(request.POST if request.method == "POST" else None), run,
            back=page_of(order), title="Stop sending", submit_text="Stop sending",
            explanation=f"{order.get_market_display()} has been asked {order.sends} times, and it is not clear what "
            f"became of the order {order.request_id}. It is sent no more, and its sale waits until you have found out "
            "whether it traded, and have said so here.",
        )  # fmt: skip

    def commands_of(self, request: HttpRequest, row: TradeOrder) -> Collection[str]:
        """Stopping the sends, answering for an order that waits for it, or nothing."""
        if resolution.may_be_stopped(row):
            return ("stop_sending",)
        return ("market_did_trade", "market_did_not_trade") if row.status == OrderStatus.UNRESOLVED else ()


def _actor(request: HttpRequest) -> dict[str, Any]:
    return {"actor_name": request.user.get_username(), "actor_id": request.user.pk}


@admin.register(OrderAnswer)
class OrderAnswerAdmin(_AnswerColumns, ReadOnlyAdmin):
    list_display = ("received", "of_order", "send", "kind", "stale")
    list_filter = (STALE,)
    list_select_related = ("order",)
    search_fields = ("order__request_id__exact", "order__liquidation__loan__loan_id__startswith")
    search_help_text = "A request id, or the beginning of a loan id"
    fields = ("of_order", "send", "received", "kind", "stale", "said")
    of_order = link_column("Order", lambda answer: answer.order)


@admin.register(Venue)
class VenueAdmin(ReadOnlyAdmin):
    list_display = fields = ("market", "failures_in_row", "paused")
    paused = instant_column("paused_until", "No new orders until")
