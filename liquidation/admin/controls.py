"""Controls as bank representatives see them: what holds, on every page; how one is pulled, extended or ended."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from coruscant import clock
from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin, ReadOnlyInline
from coruscant.admin.columns import amount_column, column, instant_column, link_column
from coruscant.admin.commands import command_button, command_page
from coruscant.admin.figures import NOTHING, badge, instant, link_to, page_of
from coruscant.admin.overview import banners
from coruscant.approvals.pages import ask_on_page
from coruscant.controls import in_force, two_people
from coruscant.controls import pull as controls
from coruscant.controls.models import OF_A_MARKET, Control, ControlKind
from liquidation.controls import set_aside
from liquidation.controls.models import WithheldClaim
from pricing.markets import Market

_HOLDS = {
    ControlKind.PAUSE_CLAIMS: "Claims are paused",
    ControlKind.PAUSE_ACTIVATIONS: "Activations are paused",
    ControlKind.NO_NEW_ORDERS: "No new orders to {market}",
    ControlKind.SET_ASIDE: "The prices of {market} are set aside",
}
#: Two of the bank, and two of each market.
_MOST_AT_ONCE = 2 + 2 * len(Market)


def _market(control: Control) -> str:
    return dict(Market.choices()).get(control.market, control.market)


def _state(control: Control, now: datetime) -> str:
    if control.until > now:
        return badge("holds", "danger")
    return badge("ended early" if control.ended_by else "over")


@dataclass(frozen=True, slots=True)
class Switch:
    """One thing that can be pulled, and the control that holds it now, if it is pulled."""

    title: str
    market: str
    control: Control | None


def switches() -> list[Switch]:
    """All there are, of the bank and of each market."""
    held = {(one.kind, one.market): one for one in in_force.now(clock.now())}
    return [
        Switch(kind.label, label, held.get((kind, market)))
        for kind in ControlKind
        for market, label in (Market.choices() if kind in OF_A_MARKET else [("", "the whole bank")])
    ]


def _in_force_banner(_request: HttpRequest) -> str | None:
    last = list(Control.objects.order_by("-until")[:_MOST_AT_ONCE])
    now = clock.now() if last else None
    sentences = [
        f"{_HOLDS[ControlKind(one.kind)].format(market=_market(one))} until {instant(one.until)}, by {one.pulled_by}:"
        f" {one.why}"
        for one in last
        if now and one.until > now
    ]
    return " — ".join(sentences) or None


banners.append(_in_force_banner)


def _minutes() -> forms.IntegerField:
    return forms.IntegerField(
        label="Minutes", min_value=1, max_value=int(controls.LONGEST.total_seconds()) // 60,
        help_text="How long from now on, or from the agreement on. More than 60 need a second person",
        widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip


def _why() -> forms.CharField:
    return forms.CharField(
        label="Why", max_length=1000, help_text="Shown on every page", widget=UnfoldAdminTextInputWidget
    )


class PullForm(forms.Form):
    """What is pulled, and for how long."""

    kind = forms.ChoiceField(label="What", choices=ControlKind.choices, widget=UnfoldAdminSelectWidget)
    market = forms.ChoiceField(
        label="Market", required=False, choices=[("", "none"), *Market.choices()], widget=UnfoldAdminSelectWidget,
        help_text="For new orders and prices only",
    )  # fmt: skip
    minutes = _minutes()
    why = _why()


class ExtendForm(forms.Form):
    """How long from the agreement on."""

    minutes = _minutes()
    why = _why()


class EndForm(forms.Form):
    """Why it is over."""

    why = _why()


class _WithheldColumns:
    price_gc = amount_column("price", "GC a unit", "Price that breached it")
    price_instant = instant_column("price_at", "From")
    owed = amount_column("outstanding_balance", "GC", "Owed then")
    units = amount_column("collateral", "units", "Collateral then")
    withheld = instant_column("withheld_at", "Spared")
    of_loan = link_column("Loan", lambda row: row.loan)


class WithheldClaimInline(_WithheldColumns, ReadOnlyInline):
    """The loans that would have been claimed, each at the first price that breached it."""

    model = WithheldClaim
    verbose_name_plural = "Loans that it has spared"
    fields: Any = ("of_loan", "price_gc", "price_instant", "owed", "units", "withheld")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("loan")


@admin.register(WithheldClaim)
class WithheldClaimAdmin(_WithheldColumns, ReadOnlyAdmin):
    list_display = ("withheld", "of_loan", "of_control", "price_gc", "price_instant", "owed", "units")
    list_select_related = ("loan", "control")
    search_fields = ("loan__loan_id__startswith",)
    search_help_text = "The beginning of a loan id"
    fields = ("of_loan", "of_control", ("price_gc", "price_instant"), ("owed", "units"), "withheld")
    of_control = column("Pause", lambda row: link_to(row.control))


@admin.register(Control)
class ControlAdmin(AuditedAdmin):
    list_display = ("number", "what", "of", "state", "began", "ends", "pulled_by", "why")
    list_filter = ("kind", "two_people")
    ordering = ("-until", "-id")
    list_before_template = "liquidation/switches.html"
    fieldsets = (
        (None, {"fields": (("what", "of"), "state", "why")}),
        ("Pulled", {"fields": (("pulled_by", "began"), ("on_command_line", "two_people"))}),
        ("End", {"fields": (("ends", "ended_by"),)}),
    )
    inlines = (WithheldClaimInline,)
    actions_list = ("pull",)
    actions_detail = ("extend", "end")
    has_pull_permission = admin.ModelAdmin.has_add_permission
    has_end_permission = admin.ModelAdmin.has_change_permission
    number = column("Control", lambda row: f"No. {row.pk}", "id")
    what = column("What", lambda row: row.get_kind_display(), "kind")
    of = column("Market", lambda row: _market(row) or NOTHING, "market")
    began = instant_column("began_at", "From")
    ends = instant_column("until", "Until")

    state = column(
        "State", lambda control: _state(control, clock.now()), "until",
        short=lambda control, listed: _state(control, listed.now),
    )  # fmt: skip

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what each switch says now."""
        return super().changelist_view(request, {**(extra_context or {}), "switches": switches})

    @command_button("Pull", icon="front_hand", permission="pull", kind=ActionVariant.DANGER)
    def pull(self, request: HttpRequest) -> HttpResponse:
        def run(kind: str, market: str, minutes: int, why: str) -> str:
            return _pull(request, kind, market, minutes, why)

        return command_page(
            request, PullForm(request.POST or None), run, back=reverse("admin:controls_control_changelist"),
            title="Pull", submit_text="Pull it",
            explanation="It holds at once, under your name, and ends by itself. One person alone may pull it for an"
            " hour, and nobody alone for an hour after that. It takes two if it changes the price that decides.",
        )  # fmt: skip

    @command_button("Extend", icon="more_time", permission="end", kind=ActionVariant.WARNING)
    def extend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        control: Control = self.row_or_404(request, object_id)

        def run(minutes: int, why: str) -> str:
            return ask_on_page(request, two_people.EXTEND, {"control_id": control.pk, "minutes": minutes}, why)

        return command_page(
            request, ExtendForm(request.POST or None), run, back=page_of(control), title=f"Extend: {control}",
            submit_text="Ask for it",
            explanation=f"It ends at {instant(control.until)}. To extend it takes two people.",
        )  # fmt: skip

    @command_button("End", icon="play_arrow", permission="end", kind=ActionVariant.SUCCESS)
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        control: Control = self.row_or_404(request, object_id)

        def run(why: str) -> str:
            return ask_on_page(request, two_people.END, {"control_id": control.pk}, why)

        return command_page(
            request, EndForm(request.POST or None), run, back=page_of(control), title=f"End: {control}",
            submit_text="Ask for it",
            explanation=f"It ends by itself at {instant(control.until)}. To end it before that takes two people.",
        )  # fmt: skip

    def commands_of(self, request: HttpRequest, row: Control) -> Collection[str]:
        """None once it is over."""
        return self.actions_detail if row.until > clock.now() else ()


def _pull(request: HttpRequest, kind: str, market: str, minutes: int, why: str) -> str:
    """Pull it alone if one person may, else ask a second one."""
    by: dict[str, Any] = {"by": request.user.get_username(), "by_id": request.user.pk}
    lasts = timedelta(minutes=minutes)
    try:
        if kind == ControlKind.SET_ASIDE:
            made = set_aside.set_aside(market, lasts=lasts, why=why, **by)
        else:
            made = controls.pull(kind, market=market, lasts=lasts, why=why, **by)
    except controls.SecondPersonNeeded as error:
        if kind == ControlKind.SET_ASIDE:
            asked = ask_on_page(request, set_aside.SET_ASIDE, {"market": market, "minutes": minutes, "why": why}, why)
        else:
            arguments = {"kind": kind, "market": market, "minutes": minutes, "why": why}
            asked = ask_on_page(request, two_people.PULL, arguments, why)
        return f"{error} {asked}"
    return f"{made} holds until {instant(made.until)}."
