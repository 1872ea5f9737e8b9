"""Loans as bank representatives see them, and the two commands they have: register an application, post collateral."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from coruscant.admin.base import AuditedAdmin
from coruscant.admin.columns import (
    amount_column,
    column,
    id_column,
    instant_column,
    own_id_column,
    status_column,
)
from coruscant.admin.commands import AmountFormField, command_button, command_page
from coruscant.admin.figures import NOTHING, badge, figure, page_of, percent
from coruscant.approvals.pages import ask_on_page, why_field
from coruscant.fields import AmountField
from loans import applications, postings, risk, two_people
from loans.admin.records import loans_of_request
from loans.idempotency import Accepted
from loans.models import Loan, LoanStatus, MarginCall
from pricing.admin.price import price_now


class _RequestForm(forms.Form):
    field_order = ("loan_id", "borrower_id", "amount", "why")  # the request id comes last
    request_id = forms.CharField(
        label="Request id",
        max_length=128,
        initial=lambda: f"admin-{uuid4()}",
        help_text="Made for this form: if it is sent twice, it takes effect once.",
        widget=UnfoldAdminTextInputWidget({"readonly": "readonly"}),
    )


class ApplicationForm(_RequestForm):
    loan_id = forms.CharField(label="Loan id", max_length=128, widget=UnfoldAdminTextInputWidget)
    borrower_id = forms.CharField(label="Borrower id", max_length=128, widget=UnfoldAdminTextInputWidget)
    amount = AmountFormField(label="Amount", help_text="GC to be disbursed")


class PostingForm(_RequestForm):
    amount = AmountFormField(label="Amount", help_text="Units of Beskar")
    why = why_field()


class OpenMarginCallFilter(admin.SimpleListFilter):
    title = "margin call"
    parameter_name = "margin_call"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("none", "None")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(has_open_margin_call=self.value() == "open") if self.value() else queryset


@admin.register(Loan)
class LoanAdmin(AuditedAdmin):
    list_display = (
        "loan", "borrower", "state", "amount_gc", "balance_gc", "units", "ltv_now", "margin_call", "created",
    )  # fmt: skip
    list_filter = ("status", OpenMarginCallFilter)
    list_select_related = ("terms",)
    totals = ("amount_gc", "balance_gc", "units")
    search_fields = ("loan_id__startswith", "borrower_id__startswith")
    search_help_text = "The beginning of a loan id or borrower id, or a request id"
    # Of one version in its history; for the loan as it is the desk has a page of its own.
    fieldsets = (
        (None, {"fields": (("loan_id", "borrower_id"), ("state", "terms"), "request_id")}),
        ("Figures", {"fields": (("amount_gc", "balance_gc"), "units")}),
        ("Times", {"fields": (("created", "applies_from"), ("activated", "activated_at_price"))}),
    )
    actions_list = ("register_application",)
    actions_detail = ("post_collateral",)
    has_register_permission = admin.ModelAdmin.has_add_permission
    loan = own_id_column("loan_id", "Loan")
    borrower = id_column("borrower_id", "Borrower")
    state = status_column({"new": "info", "active": "success", "liquidating": "warning"})
    amount_gc = amount_column("amount", "GC", "Amount")
    balance_gc = amount_column("outstanding_balance", "GC", "Outstanding balance")
    units = amount_column("collateral", "units", "Collateral")
    created = instant_column("created_at", "Applied for")
    activated = instant_column("activated_at", "Activated")
    activated_at_price = amount_column("activation_price", "GC a unit", "Price that activated it")
    applies_from = instant_column("prices_apply_from", "Prices apply from")
    margin_call = column(
        "Margin call", lambda loan: badge("open" if getattr(loan, "has_open_margin_call", False) else "", "warning")
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Loan]:
        """The loans, each with the price of this page and whether a margin call is open: no query a row."""
        price = Value(price_now(request).price, output_field=AmountField())
        open_call = Exists(MarginCall.objects.filter(loan=OuterRef("pk"), closed_at__isnull=True))
        rows: QuerySet[Loan] = super().get_queryset(request)
        return rows.annotate(price_now=price, has_open_margin_call=open_call)

    def search_lookups(self, request: HttpRequest, term: str) -> Iterable[Q]:
        """Also by the request id of an application or a posting."""
        yield from super().search_lookups(request, term)
        yield Q(pk__in=loans_of_request(term))

    @admin.display(description="LTV now", ordering="debt_per_unit")
    def ltv_now(self, loan: Any) -> str:
        """At the best price now, coloured by the loan's terms; debt_per_unit sorts the same way."""
        price = getattr(loan, "price_now", None)
        if price is None or not loan.collateral or not loan.outstanding_balance:
            return NOTHING
        figures = loan.outstanding_balance, loan.collateral, price
        shown = percent(risk.ltv(*figures))
        if loan.status == "new":
            return shown  # not disbursed: nothing is at risk yet
        if risk.must_liquidate(*figures, loan.terms.thresholds):
            return badge(shown, "danger")
        return badge(shown, "warning") if risk.must_call(*figures, loan.terms.thresholds) else shown

    def has_post_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("loans.add_collateralposting"))

    @command_button("Register application", icon="add", permission="register")
    def register_application(self, request: HttpRequest) -> HttpResponse:
        def run(**sent: Any) -> str:
            accepted = applications.apply_for_loan(client=request.user.get_username(), **sent)
            return f"Application {sent['request_id']} is registered as loan {accepted.loan_id}{_again(accepted)}."

        return command_page(
            request, ApplicationForm(request.POST or None), run,
            back=reverse("admin:loans_loan_changelist"), title="Register application", submit_text="Register",
            explanation="A new loan without collateral. It becomes active by itself when enough has been posted.",
        )  # fmt: skip

    @command_button("Post collateral", icon="add", permission="post")
    def post_collateral(self, request: HttpRequest, object_id: str) -> HttpResponse:
        loan = self.row_or_404(request, object_id)

        def run(why: str, **sent: Any) -> str:
            sent |= {"loan_id": loan.loan_id, "borrower_id": loan.borrower_id}
            try:
                accepted = postings.post_by_hand(client=request.user.get_username(), **sent)
            except postings.PostingNeedsTwo:
                return ask_on_page(request, two_people.POST, sent, why)
            return f"{figure(sent['amount'])} units are posted for loan {accepted.loan_id}{_again(accepted)}."

        return command_page(
            request, PostingForm(request.POST or None), run,
            back=page_of(loan), title=f"Post collateral for {loan.loan_id}", submit_text="Post",
            explanation=f"The loan has {figure(loan.collateral)} units and owes {figure(loan.outstanding_balance)} GC.",
        )  # fmt: skip

    def commands_of(self, request: HttpRequest, row: Loan) -> Collection[str]:
        """Without `post_collateral` for a loan that takes no more collateral."""
        return ("post_collateral",) if row.status in (LoanStatus.NEW, LoanStatus.ACTIVE) else ()


def _again(accepted: Accepted) -> str:
    return " already: this form was sent before, and nothing was done twice" if accepted.replayed else ""
