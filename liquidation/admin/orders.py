"""Orders as bank representatives see them, and two commands for an unresolved one: it did trade, or it did not."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from coruscant.admin.base import AuditedAdmin, ReadOnlyInline
from coruscant.admin.commands import AmountFormField, command_button, command_page
from coruscant.admin.figures import (
    NOTHING,
    amount_column,
    figure,
    instant_column,
    link_to,
    preformatted,
    status_column,
)
from liquidation import resolution
from liquidation.models import OrderStatus, TradeOrder

ORDER_KINDS = {"open": "info", "unknown": "warning", "unresolved": "danger", "filled": "success", "refused": ""}


class TradedForm(forms.Form):
    """The trade, as the market reports it."""

    units = AmountFormField(label="Units traded")
    proceeds = AmountFormField(label="Proceeds", help_text="GC the market paid in total")

    def __init__(self, *args: Any, ordered: Decimal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ordered = ordered
        self.fields["units"].help_text = f"At most the {figure(ordered)} ordered"

    def clean_units(self) -> Decimal:
        """No more than was ordered."""
        units: Decimal = self.cleaned_data["units"]
        if units > self._ordered:
            raise ValidationError(f"The order was for {figure(self._ordered)} units: more cannot have been traded.")
        return units


class OrderInline(ReadOnlyInline):
    """A liquidation's orders, on its page."""

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


@admin.register(TradeOrder)
class TradeOrderAdmin(AuditedAdmin):
    """All orders; for an unresolved one a representative books what the market did."""

    list_display = (
        "request_id", "of_loan", "market", "state", "ordered", "traded", "received", "sends", "last_outcome", "made",
    )  # fmt: skip
    list_select_related = ("liquidation__loan",)
    list_filter = ("status", "market", "last_outcome")
    search_fields = ("request_id__exact", "venue_order_id__exact", "liquidation__loan__loan_id__startswith")
    search_help_text = "A request id, a market's order id, or the beginning of a loan id"
    fieldsets = (
        (None, {"fields": ("request_id", "of_liquidation", "of_loan", "sequence", "market", "state")}),
        ("Order", {"fields": ("ordered", "quoted", "body", "made", "sends", "due")}),
        (
            "Answer",
            {"fields": ("last_outcome", "answer", "mismatch", "venue_order_id", "traded", "received", "answered")},
        ),
    )
    actions_detail = ("market_did_trade", "market_did_not_trade")

    state = status_column(ORDER_KINDS)
    ordered = amount_column("quantity", "units", "Ordered")
    quoted = amount_column("quoted_unit_price", "GC a unit", "Expected price")
    traded = amount_column("units_traded", "units", "Traded")
    received = amount_column("proceeds", "GC", "Proceeds")
    made = instant_column("created_at", "Made")
    answered = instant_column("answered_at", "Verdict booked")
    due = instant_column("due_at", "Not sent again before")

    @admin.display(description="Loan")
    def of_loan(self, order: TradeOrder) -> str | SafeString:
        """A link."""
        return link_to(order.liquidation.loan)

    @admin.display(description="Liquidation")
    def of_liquidation(self, order: TradeOrder) -> str | SafeString:
        """A link."""
        return link_to(order.liquidation, f"No. {order.liquidation_id}")

    @admin.display(description="Body as sent")
    def body(self, order: TradeOrder) -> SafeString:
        """The same every time."""
        return preformatted(order.payload)

    @admin.display(description="Last answer")
    def answer(self, order: TradeOrder) -> str | SafeString:
        """Shortened."""
        return preformatted(order.last_answer) if order.last_answer else NOTHING

    def has_resolve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may change orders may resolve unresolved ones, and change nothing else."""
        return bool(request.user.has_perm("liquidation.change_tradeorder"))

    @command_button("Market did trade", icon="check", permission="resolve", kind=ActionVariant.SUCCESS)
    def market_did_trade(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The command for a representative who has found out that the market traded, and how much."""
        order = self._order(request, object_id)

        def run(sent: dict[str, Any]) -> str:
            resolution.resolve_as_traded(order_id=order.pk, **sent, **_actor(request))
            return f"Booked: the market traded {figure(sent['units'])} units for {figure(sent['proceeds'])} GC."

        form = TradedForm(request.POST or None, ordered=order.quantity)
        return command_page(
            request, form, run, back=_page_of(order), title="Market did trade", submit_text="Book the trade",
            explanation=f"Enter what {order.get_market_display()} says of the order {order.request_id}. "
            "It is booked like an answer of the market, under your name, and cannot be undone.",
        )  # fmt: skip

    @command_button("Market did not trade", icon="close", permission="resolve", kind=ActionVariant.DANGER)
    def market_did_not_trade(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The command for a representative who has found out that the market traded nothing."""
        order = self._order(request, object_id)

        def run(_sent: dict[str, Any]) -> str:
            resolution.resolve_as_not_traded(order_id=order.pk, **_actor(request))
            return "Booked: the market traded nothing. The sale goes on with a new order."

        return command_page(
            request, forms.Form({} if request.method == "POST" else None), run,
            back=_page_of(order), title="Market did not trade", submit_text="Book as not traded",
            explanation=f"Only if {order.get_market_display()} says that the order {order.request_id} never traded: "
            "the same units are then ordered again. It is booked under your name and cannot be undone.",
        )  # fmt: skip

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Without either command unless the order is unresolved."""
        waits = TradeOrder.objects.filter(pk=object_id, status=OrderStatus.UNRESOLVED).exists()
        return super().get_actions_detail(request, object_id) if waits else []

    def _order(self, request: HttpRequest, object_id: str) -> TradeOrder:
        order: TradeOrder | None = self.get_object(request, object_id)
        if order is None:
            raise Http404
        return order


def _page_of(order: TradeOrder) -> str:
    return reverse("admin:liquidation_tradeorder_change", args=(order.pk,))


def _actor(request: HttpRequest) -> dict[str, Any]:
    return {"actor_name": request.user.get_username(), "actor_id": request.user.pk}
