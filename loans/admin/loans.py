"""Loans as bank representatives see them, and the two commands they have: register an application, post collateral."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from coruscant import history
from coruscant.admin.base import (
    NOTHING,
    AmountField,
    AuditedAdmin,
    ReadOnlyInline,
    RequestForm,
    amount_column,
    badge,
    command_button,
    command_page,
    figure,
    instant_column,
    link_to,
    percent,
    status_column,
)
from coruscant.admin.groups import grant
from coruscant.fields import AmountField as StoredAmount
from loans import applications, postings, risk
from loans.idempotency import Accepted
from loans.models import CollateralPosting, Loan, MarginCall
from loans.thresholds import thresholds
from pricing.admin import price_now

grant("loans", "add_loan", "add_collateralposting")

STATUS_KINDS = {"new": "info", "active": "success", "liquidating": "warning", "liquidated": ""}


def _open_margin_calls() -> QuerySet[MarginCall]:
    return MarginCall.objects.filter(loan=OuterRef("pk"), closed_at__isnull=True)


class ApplicationForm(RequestForm):
    """What an application says."""

    field_order = ("loan_id", "borrower_id", "amount", "request_id")

    loan_id = forms.CharField(label="Loan id", max_length=128, widget=UnfoldAdminTextInputWidget)
    borrower_id = forms.CharField(label="Borrower id", max_length=128, widget=UnfoldAdminTextInputWidget)
    amount = AmountField(label="Amount", help_text="GC to be disbursed")


class PostingForm(RequestForm):
    """What a posting of collateral says; the loan is the page's."""

    field_order = ("amount", "request_id")

    amount = AmountField(label="Amount", help_text="Units of Beskar")


class OpenMarginCallFilter(admin.SimpleListFilter):
    """Loans with a margin call that is open now."""

    title = "margin call"
    parameter_name = "margin_call"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Open or none."""
        return [("open", "Open"), ("none", "None")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Loan]) -> QuerySet[Loan]:
        """Those with one, or those without."""
        if self.value() is None:
            return queryset
        warned = Exists(_open_margin_calls())
        return queryset.filter(warned if self.value() == "open" else ~warned)


class _PostingInline(ReadOnlyInline):
    model = CollateralPosting
    verbose_name_plural = "Collateral posted"
    fields = ("posted", "units", "request_id")
    posted = instant_column("created_at", "Posted")
    units = amount_column("amount", "units", "Amount")


class _MarginCallInline(ReadOnlyInline):
    model = MarginCall
    verbose_name_plural = "Margin calls"
    fields = ("opened", "price_gc", "ltv_then", "closed", "why")
    opened = instant_column("opened_at", "Opened")
    closed = instant_column("closed_at", "Closed")
    price_gc = amount_column("price", "GC a unit", "Price")

    @admin.display(description="LTV")
    def ltv_then(self, warning: MarginCall) -> str:
        """At the call."""
        return percent(risk.ltv(warning.outstanding_balance, warning.collateral, warning.price))

    @admin.display(description="Because")
    def why(self, warning: MarginCall) -> str:
        """Why it was closed."""
        return warning.get_close_reason_display() or NOTHING


@admin.register(Loan)
class LoanAdmin(AuditedAdmin):
    """All loans, with their LTV at the best price of the moment the page was made."""

    list_display = (
        "loan_id", "borrower_id", "state", "amount_gc", "balance_gc", "units", "ltv_now", "margin_call", "created",
    )  # fmt: skip
    list_filter = ("status", OpenMarginCallFilter)
    search_fields = ("loan_id__startswith", "borrower_id__startswith", "request_id__exact")
    search_help_text = "Loan, borrower (beginnings) or request id"
    fieldsets = (
        (None, {"fields": (("loan_id", "borrower_id"), ("state", "margin_call"), ("request_id", "liquidation_link"))}),
        ("Figures", {"fields": (("amount_gc", "balance_gc"), ("units", "value_now"), ("ltv_now", "missing"))}),
        ("Times", {"fields": (("created", "activated"), "judged")}),
    )
    inlines = (_PostingInline, _MarginCallInline)
    actions_list = ("register_application",)
    actions_detail = ("post_collateral",)

    state = status_column(STATUS_KINDS)
    amount_gc = amount_column("amount", "GC", "Amount")
    balance_gc = amount_column("outstanding_balance", "GC", "Outstanding balance")
    units = amount_column("collateral", "units", "Collateral")
    created = instant_column("created_at", "Applied for")
    activated = instant_column("activated_at", "Activated")
    judged = instant_column("prices_apply_from", "Judged by prices from")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Loan]:
        """Every loan with this page's price and whether a margin call is open: no query per row."""
        price = Value(price_now(request).price, output_field=StoredAmount())
        rows: QuerySet[Loan] = super().get_queryset(request)
        return rows.annotate(price_now=price, has_open_margin_call=Exists(_open_margin_calls()))

    @admin.display(description="LTV now", ordering="debt_per_unit")
    def ltv_now(self, loan: Any) -> str | SafeString:
        """At the best price now, coloured by the thresholds; debt_per_unit sorts the same way."""
        price = getattr(loan, "price_now", None)
        if price is None or not loan.collateral or not loan.outstanding_balance:
            return NOTHING
        shown = percent(risk.ltv(loan.outstanding_balance, loan.collateral, price))
        rules = thresholds()
        if loan.status == "new":
            return shown  # not disbursed: nothing is at risk yet
        if risk.must_liquidate(loan.outstanding_balance, loan.collateral, price, rules):
            return badge(shown, "danger")
        if risk.must_call(loan.outstanding_balance, loan.collateral, price, rules):
            return badge(shown, "warning")
        return shown

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
        rules = thresholds()
        return figure(risk.required_collateral(loan.outstanding_balance, loan.collateral, price, rules), "units")

    @admin.display(description="Margin call")
    def margin_call(self, loan: Any) -> str | SafeString:
        """Whether one is open."""
        return badge("open", "warning") if getattr(loan, "has_open_margin_call", False) else NOTHING

    @admin.display(description="Liquidation")
    def liquidation_link(self, loan: Any) -> str | SafeString:
        """The loan's liquidation, if it was claimed."""
        try:
            return link_to(loan.liquidation, "Show the liquidation")
        except ObjectDoesNotExist:
            return NOTHING

    def has_register_permission(self, request: HttpRequest) -> bool:
        """Who may add loans may register applications."""
        return bool(request.user.has_perm("loans.add_loan"))

    def has_post_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may add postings may post collateral."""
        return bool(request.user.has_perm("loans.add_collateralposting"))

    @command_button("Register application", icon="add", permission="register")
    def register_application(self, request: HttpRequest) -> HttpResponse:
        """The command of a representative who takes an application."""

        def run(told: dict[str, Any]) -> str:
            with _by(request):
                accepted = applications.apply_for_loan(client=request.user.get_username(), **told)
            return f"Application {told['request_id']} is registered as loan {accepted.loan_id}{_again(accepted)}."

        return command_page(
            request, ApplicationForm(request.POST or None), run,
            back=reverse("admin:loans_loan_changelist"), title="Register application", submit_text="Register",
            explanation="A new loan without collateral. It becomes active by itself when enough has been posted.",
        )  # fmt: skip

    @command_button("Post collateral", icon="add", permission="post")
    def post_collateral(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The command of a representative who takes collateral for this loan."""
        loan = self.get_object(request, object_id)
        if loan is None:
            raise Http404

        def run(told: dict[str, Any]) -> str:
            with _by(request):
                accepted = postings.post_collateral(
                    client=request.user.get_username(), loan_id=loan.loan_id, borrower_id=loan.borrower_id, **told
                )
            return f"{figure(told['amount'])} units are posted for loan {accepted.loan_id}{_again(accepted)}."

        return command_page(
            request, PostingForm(request.POST or None), run,
            back=reverse("admin:loans_loan_change", args=(loan.pk,)), title=f"Post collateral for {loan.loan_id}",
            explanation=f"The loan has {figure(loan.collateral)} units and owes {figure(loan.outstanding_balance)} GC.",
            submit_text="Post",
        )  # fmt: skip

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """No posting for a loan that takes no more collateral."""
        takes = Loan.objects.filter(pk=object_id, status__in=("new", "active")).exists()
        return super().get_actions_detail(request, object_id) if takes else []


def _by(request: HttpRequest) -> Any:
    """Who acts: this representative."""
    return history.acting_as(request.user.get_username(), request.user.pk)


def _again(accepted: Accepted) -> str:
    return " already: this form was sent before, and nothing was done twice" if accepted.replayed else ""


@admin.register(CollateralPosting)
class CollateralPostingAdmin(AuditedAdmin):
    """All collateral posted."""

    list_display = ("posted", "of_loan", "units", "request_id")
    list_select_related = ("loan",)
    list_filter = ("created_at",)
    search_fields = ("loan__loan_id__startswith", "request_id__exact")
    search_help_text = "How a loan id begins, or a request id"
    fieldsets = ((None, {"fields": ("of_loan", "units", "request_id", "posted")}),)
    posted = instant_column("created_at", "Posted")
    units = amount_column("amount", "units", "Amount")

    @admin.display(description="Loan")
    def of_loan(self, posting: CollateralPosting) -> str | SafeString:
        """A link."""
        return link_to(posting.loan)


@admin.register(MarginCall)
class MarginCallAdmin(AuditedAdmin):
    """All margin calls."""

    list_display = ("opened", "of_loan", "state", "price_gc", "ltv_then", "closed", "why")
    list_select_related = ("loan",)
    list_filter = (("closed_at", admin.EmptyFieldListFilter), "close_reason")
    search_fields = ("loan__loan_id__startswith",)
    search_help_text = "How a loan id begins"
    fieldsets = (
        (None, {"fields": ("of_loan", "state", "opened", "closed", "why")}),
        ("At the call", {"fields": ("price_gc", "price_instant", "balance_gc", "units", "ltv_then")}),
    )
    opened = instant_column("opened_at", "Opened")
    closed = instant_column("closed_at", "Closed")
    price_instant = instant_column("price_at", "Instant of the price")
    price_gc = amount_column("price", "GC a unit", "Price")
    balance_gc = amount_column("outstanding_balance", "GC", "Outstanding balance")
    units = amount_column("collateral", "units", "Collateral")
    ltv_then = _MarginCallInline.ltv_then
    why = _MarginCallInline.why

    @admin.display(description="Loan")
    def of_loan(self, warning: MarginCall) -> str | SafeString:
        """A link."""
        return link_to(warning.loan)

    @admin.display(description="Status")
    def state(self, warning: MarginCall) -> SafeString:
        """Open or closed."""
        return badge("closed") if warning.closed_at else badge("open", "warning")
