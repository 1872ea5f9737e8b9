"""Loan terms as bank representatives see them, a banner while the settings differ, and the two commands, which ask."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.columns import column, instant_column
from coruscant.admin.commands import AmountFormField, command_button, command_page
from coruscant.admin.figures import NOTHING, page_of, percent
from coruscant.admin.overview import banners
from coruscant.approvals.pages import ask_on_page, why_field
from loans import terms, terms_two_people
from loans.models import LoanTerms

#: Registered by the liquidation app, which evaluates loans up to the move.
_MOVE = "liquidation.move_loans"

banners.append(lambda _request: terms.difference_from_settings() or None)


def _ltv_field(label: str) -> AmountFormField:
    return AmountFormField(label=label, help_text="As a ratio: 0.8 is 80 %")


class TermsForm(forms.Form):
    activation_ltv = _ltv_field("Activation at or below")
    margin_call_ltv = _ltv_field("Margin call at or above")
    margin_call_clear_ltv = _ltv_field("Cleared below")
    liquidation_ltv = _ltv_field("Liquidation at or above")
    why = why_field()


class MoveForm(forms.Form):
    of = forms.IntegerField(label="Loans that are under terms", min_value=1, widget=UnfoldAdminIntegerFieldWidget)
    why = why_field()


@admin.register(LoanTerms)
class LoanTermsAdmin(ReadOnlyAdmin):
    """All versions; the newest is for loans that are opened now."""

    list_display = ("number", "activation", "call", "clear", "liquidation", "valid", "asked", "agreed", "used")
    fields = ("number", ("activation", "liquidation"), ("call", "clear"), "valid", ("asked", "agreed"), "used")
    actions_list = ("make_terms",)
    actions_detail = ("move_loans",)
    number = column("Terms", lambda row: f"Version {row.version}", "version")
    activation = column("Activation at or below", lambda row: percent(row.activation_ltv))
    call = column("Margin call at or above", lambda row: percent(row.margin_call_ltv))
    clear = column("Cleared below", lambda row: percent(row.margin_call_clear_ltv))
    liquidation = column("Liquidation at or above", lambda row: percent(row.liquidation_ltv))
    valid = instant_column("valid_from", "For loans opened from")
    asked = column("Asked by", lambda row: row.asked_by or f"{NOTHING} made of the settings")
    agreed = column("Agreed by", lambda row: row.agreed_by or NOTHING)
    used = column("In use", lambda row: "Yes" if row.version in terms.in_use() else "No")

    def has_ask_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(terms_two_people.PERMISSION))

    @command_button("Make terms", icon="add", permission="ask")
    def make_terms(self, request: HttpRequest) -> HttpResponse:
        def run(why: str, **ltvs: Any) -> str:
            return ask_on_page(request, terms_two_people.MAKE, ltvs, why)

        last = terms.newest()
        return command_page(
            request, TermsForm(request.POST or None), run,
            back=reverse("admin:loans_loanterms_changelist"), title="Make terms", submit_text="Ask for it",
            explanation=f"Loans that are opened after somebody else has agreed get these terms. The newest {last} are:"
            f" {terms.in_words(last.thresholds)}.",
        )  # fmt: skip

    @command_button("Move loans here", icon="move_down", permission="ask", kind=ActionVariant.WARNING)
    def move_loans(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: LoanTerms = self.row_or_404(request, object_id)

        def run(of: int, why: str) -> str:
            return ask_on_page(request, _MOVE, {"of": of, "to": row.version}, why)

        return command_page(
            request, MoveForm(request.POST or None), run, back=page_of(row),
            title=f"Move loans to terms {row.version}", submit_text="Ask for it",
            explanation=f"These terms are: {terms.in_words(row.thresholds)}. Both of you are shown which loans would be"
            " called and sold by them at the present price.",
        )  # fmt: skip
