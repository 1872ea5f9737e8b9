"""Loans as bank representatives see them, and the two commands they have: register an application, post collateral."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from coruscant import history
from coruscant.admin.base import AuditedAdmin
from coruscant.admin.commands import AmountFormField, RequestForm, command_button, command_page
from coruscant.admin.figures import (
    NOTHING,
    amount_column,
    badge,
    figure,
    instant_column,
    link_to,
    percent,
    status_column,
)
from coruscant.fields import AmountField
from loans import applications, postings, risk
from loans.admin.records import MarginCallInline, PostingInline, open_margin_calls
from loans.idempotency import Accepted
from loans.models import Loan
from loans.thresholds import thresholds
from pricing.admin.price import price_now

STATUS_KINDS = {"new": "info", "active": "success", "liquidating": "warning", "liquidated": ""}


class ApplicationForm(RequestForm):
    """An application for a loan."""

    field_order = ("loan_id", "borrower_id", "amount", "request_id")

    loan_id = forms.CharField(label="Loan id", max_length=128, widget=UnfoldAdminTextInputWidget)
    borrower_id = forms.CharField(label="Borrower id", max_length=128, widget=UnfoldAdminTextInputWidget)
    amount = AmountFormField(label="Amount", help_text="GC to be disbursed")


class PostingForm(RequestForm):
    """A posting of collateral for the loan of the page."""

    field_order = ("amount", "request_id")

    amount = AmountFormField(label="Amount", help_text="Units of Beskar")


class OpenMarginCallFilter(admin.SimpleListFilter):
    """Loans with a margin call that is open now."""

    title = "margin call"
    parameter_name = "margin_call"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two choices."""
        return [("open", "Open"), ("none", "None")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Loan]) -> QuerySet[Loan]:
        """The loans with one, or those without."""
        if self.value() is None:
            return queryset
        called = Exists(open_margin_calls())
        return queryset.filter(called if self.value() == "open" else ~called)


@admin.register(Loan)
class LoanAdmin(AuditedAdmin):
    """All loans, with their LTV at the best price of the moment the page was made."""

    list_display = (
        "loan_id", "borrower_id", "state", "amount_gc", "balance_gc", "units", "ltv_now", "margin_call", "created",
    )  # fmt: skip
    list_filter = ("status", OpenMarginCallFilter)
    search_fields = ("loan_id__startswith", "borrower_id__startswith", "request_id__exact")
    search_help_text = "The beginning of a loan id or borrower id, or a request id"
    fieldsets = (
        (None, {"fields": (("loan_id", "borrower_id"), ("state", "margin_call"), ("request_id", "liquidation_link"))}),
        ("Figures", {"fields": (("amount_gc", "balance_gc"), ("units", "value_now"), ("ltv_now", "missing"))}),
        ("Times", {"fields": (("created", "activated"), "applies_from")}),
    )
    inlines = (PostingInline, MarginCallInline)
    actions_list = ("register_application",)
    actions_detail = ("post_collateral",)

    state = status_column(STATUS_KINDS)
    amount_gc = amount_column("amount", "GC", "Amount")
    balance_gc = amount_column("outstanding_balance", "GC", "Outstanding balance")
    units = amount_column("collateral", "units", "Collateral")
    created = instant_column("created_at", "Applied for")
    activated = instant_column("activated_at", "Activated")
    applies_from = instant_column("prices_apply_from", "Prices apply from")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Loan]:
        """The loans, each with the price of this page and whether a margin call is open: no query a row."""
        price = Value(price_now(request).price, output_field=AmountField())
        rows: QuerySet[Loan] = super().get_queryset(request)
        return rows.annotate(price_now=price, has_open_margin_call=Exists(open_margin_calls()))

    @admin.display(description="LTV now", ordering="debt_per_unit")
    def ltv_now(self, loan: Any) -> str | SafeString:
        """At the best price now, coloured by the thresholds; debt_per_unit sorts the same way."""
        price = getattr(loan, "price_now", None)
        if price is None or not loan.collateral or not loan.outstanding_balance:
            return NOTHING
        figures = loan.outstanding_balance, loan.collateral, price
        shown = percent(risk.ltv(*figures))
        if loan.status == "new":
            return shown  # not disbursed: nothing is at risk yet
        if risk.must_liquidate(*figures, thresholds()):
            return badge(shown, "danger")
        return badge(shown, "warning") if risk.must_call(*figures, thresholds()) else shown

    @admin.display(description="Collateral value now")
    def value_now(self, loan: Any) -> str:
        """In GC at the best price now."""
        price = getattr(loan, "price_now", None)
        return NOTHING if price is None else figure(risk.collateral_value(loan.collateral, price), "GC")

    @admin.display(description="Collateral missing for activation")
    def missing(self, loan: Any) -> str:
        """In units at the best price now; only a new loan waits for collateral."""
        price = getattr(loan, "price_now", None)
        if price is None or loan.status != "new":
            return NOTHING
        missing = risk.required_collateral(loan.outstanding_balance, loan.collateral, price, thresholds())
        return figure(missing, "units")

    @admin.display(description="Margin call")
    def margin_call(self, loan: Any) -> str | SafeString:
        """Whether one is open."""
        return badge("open", "warning") if getattr(loan, "has_open_margin_call", False) else NOTHING

    @admin.display(description="Liquidation")
    def liquidation_link(self, loan: Any) -> str | SafeString:
        """The loan's liquidation, if it was claimed."""
        return link_to(getattr(loan, "liquidation", None), "Show the liquidation")

    def has_register_permission(self, request: HttpRequest) -> bool:
        """Who may add loans may register applications."""
        return bool(request.user.has_perm("loans.add_loan"))

    def has_post_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may add postings may post collateral."""
        return bool(request.user.has_perm("loans.add_collateralposting"))

    @command_button("Register application", icon="add", permission="register")
    def register_application(self, request: HttpRequest) -> HttpResponse:
        """The command for an application that a representative has received."""

        def run(sent: dict[str, Any]) -> str:
            accepted = _act(request, applications.apply_for_loan, **sent)
            return f"Application {sent['request_id']} is registered as loan {accepted.loan_id}{_again(accepted)}."

        return command_page(
            request, ApplicationForm(request.POST or None), run,
            back=reverse("admin:loans_loan_changelist"), title="Register application", submit_text="Register",
            explanation="A new loan without collateral. It becomes active by itself when enough has been posted.",
        )  # fmt: skip

    @command_button("Post collateral", icon="add", permission="post")
    def post_collateral(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The command for collateral that a representative has received for this loan."""
        loan = self.get_object(request, object_id)
        if loan is None:
            raise Http404

        def run(sent: dict[str, Any]) -> str:
            named = {"loan_id": loan.loan_id, "borrower_id": loan.borrower_id}
            accepted = _act(request, postings.post_collateral, **named, **sent)
            return f"{figure(sent['amount'])} units are posted for loan {accepted.loan_id}{_again(accepted)}."

        return command_page(
            request, PostingForm(request.POST or None), run,
            back=reverse("admin:loans_loan_change", args=(loan.pk,)), title=f"Post collateral for {loan.loan_id}",
            explanation=f"The loan has {figure(loan.collateral)} units and owes {figure(loan.outstanding_balance)} GC.",
            submit_text="Post",
        )  # fmt: skip

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Without `post_collateral` for a loan that takes no more collateral."""
        takes = Loan.objects.filter(pk=object_id, status__in=("new", "active")).exists()
        return super().get_actions_detail(request, object_id) if takes else []


def _act(request: HttpRequest, service: Callable[..., Accepted], **sent: Any) -> Accepted:
    """Call a service as this representative."""
    name = request.user.get_username()
    with history.acting_as(name, request.user.pk):
        return service(client=name, **sent)


def _again(accepted: Accepted) -> str:
    return " already: this form was sent before, and nothing was done twice" if accepted.replayed else ""
