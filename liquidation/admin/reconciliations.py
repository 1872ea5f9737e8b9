"""Statements and differences as bank representatives see them, and the two commands for a difference."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget

from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline
from coruscant.admin.columns import (
    amount_column,
    column,
    id_column,
    instant_column,
    link_column,
    own_id_column,
    status_column,
)
from coruscant.admin.commands import command_button, command_page
from coruscant.admin.figures import link_to, page_of
from coruscant.admin.overview import cards, count_card
from coruscant.approvals.pages import WhyForm, ask_on_page, why_field
from liquidation.reconciliation import two_people
from liquidation.reconciliation.models import (
    ADOPTABLE,
    DifferenceStatus,
    Reconciliation,
    ReconciliationDifference,
    StatementTrade,
)

cards.append(
    lambda _request: count_card(
        "Open differences",
        ReconciliationDifference.objects.filter(status=DifferenceStatus.OPEN),
        "Between the markets' statements and the books",
        query="?status__exact=open",
    )
)


class ExplainForm(forms.Form):
    """What explains it, for good; and why it is closed, for the second person."""

    note = forms.CharField(label="Explanation", max_length=1000, widget=UnfoldAdminTextareaWidget)
    why = why_field()


class _StatedColumns:
    traded = amount_column("units", "units", "Units")
    received = amount_column("proceeds", "GC", "Proceeds")


class DifferenceInline(_StatedColumns, ReadOnlyInline):
    model = ReconciliationDifference
    verbose_name_plural = "Differences that it showed first"
    fields: Any = ("difference", "kind", "status", "request_id", "traded", "received")
    difference = column("Difference", link_to)


@admin.register(Reconciliation)
class ReconciliationAdmin(_StatedColumns, ReadOnlyAdmin):
    list_display = ("number", "market", "starts", "ends", "trades", "traded", "received", "compared", "compared_by")
    list_filter = ("market",)
    fields = (
        "market", ("starts", "ends"), "trades", ("traded", "received"), ("compared", "compared_by"), "digest",
    )  # fmt: skip
    inlines = (DifferenceInline,)
    number = column("Statement", lambda row: f"No. {row.pk}", "id")
    starts = instant_column("period_from", "From")
    ends = instant_column("period_to", "To")
    compared = instant_column("compared_at", "Compared")


@admin.register(StatementTrade)
class StatementTradeAdmin(_StatedColumns, ReadOnlyAdmin):
    list_display = ("of_request", "market", "traded", "received", "at", "of_statement")
    list_select_related = ("reconciliation",)
    list_filter = ("market",)
    search_fields = ("request_id__exact",)
    search_help_text = "A request id"
    fields = ("request_id", "market", "traded", "received", "at", "of_statement")
    of_request = own_id_column("request_id", "Request id")
    at = instant_column("traded_at", "Traded")
    of_statement = column("Statement", lambda row: link_to(row.reconciliation))


@admin.register(ReconciliationDifference)
class ReconciliationDifferenceAdmin(_StatedColumns, AuditedAdmin):
    list_display = ("number_", "market", "state", "kind", "of_loan", "of_request", "traded", "received", "found")
    list_select_related = ("loan",)
    list_filter = ("status", "kind", "market")
    search_fields = ("request_id__exact", "loan__loan_id__startswith")
    search_help_text = "A request id, or the beginning of a loan id"
    fieldsets = (
        (None, {"fields": (("market", "state"), "kind", "request_id", "of_loan", "of_order", "number")}),
        ("Stated", {"fields": (("traded", "received"), "at", "of_statement")}),
        ("Dealt with", {"fields": (("found", "closed"), "note")}),
    )
    actions_detail = ("adopt", "explain")
    has_resolve_permission = admin.ModelAdmin.has_change_permission
    number_ = column("Difference", lambda row: f"No. {row.pk}", "id")
    state = status_column({"open": "danger", "adopted": "success", "explained": "success"})
    of_request = id_column("request_id", "Request id")
    of_loan = link_column("Loan", lambda row: row.loan)
    of_order = link_column("Order", lambda row: row.order)
    of_statement = column("Statement", lambda row: link_to(row.reconciliation))
    at = instant_column("traded_at", "Traded")
    found = instant_column("found_at", "Found")
    closed = instant_column("closed_at", "Closed")

    @command_button("Adopt", icon="check", permission="resolve", kind=ActionVariant.SUCCESS)
    def adopt(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: ReconciliationDifference = self.row_or_404(request, object_id)

        def run(why: str) -> str:
            return ask_on_page(request, two_people.ADOPT, {"difference_id": row.pk}, why)

        return command_page(
            request, WhyForm(request.POST if request.method == "POST" else None), run, back=page_of(row),
            title="Adopt", submit_text="Ask for it",
            explanation="The trade that the market states is booked when somebody else agrees. A loan that is not "
            "claimed yet is claimed then, whatever the price.",
        )  # fmt: skip

    @command_button("Explain", icon="edit", permission="resolve", kind=ActionVariant.WARNING)
    def explain(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: ReconciliationDifference = self.row_or_404(request, object_id)

        def run(note: str, why: str) -> str:
            return ask_on_page(request, two_people.EXPLAIN, {"difference_id": row.pk, "note": note}, why)

        return command_page(
            request, ExplainForm(request.POST or None), run, back=page_of(row), title="Explain",
            submit_text="Ask for it",
            explanation="The difference is closed when somebody else agrees, and nothing is booked.",
        )  # fmt: skip

    def commands_of(self, request: HttpRequest, row: ReconciliationDifference) -> Collection[str]:
        """Nothing once it is closed; without *Adopt* if there is nothing to be booked."""
        if row.status != DifferenceStatus.OPEN:
            return ()
        return ("explain", "adopt") if row.kind in ADOPTABLE and row.loan_id else ("explain",)
