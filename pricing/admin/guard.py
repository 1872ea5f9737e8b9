"""The guard over prices in the admin: its settings, what it held, and a banner while it holds something back."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget

from coruscant import clock
from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.columns import amount_column, instant_column
from coruscant.admin.commands import AmountFormField, command_button, command_page
from coruscant.admin.figures import figure
from coruscant.admin.overview import banners
from coruscant.approvals.pages import ask_on_page, why_field
from pricing import reading, two_people
from pricing.admin.price import price_now
from pricing.guard import Mode, in_force
from pricing.models import HeldJump, PriceGuard


def _prices_in_doubt(request: HttpRequest) -> str | None:
    """The banner while a jump is pending or the markets are in dispute."""
    point = price_now(request)
    said = []
    if point.pending:
        markets = " and ".join(quote.market.label for quote in point.pending)
        said.append(f"A jump of prices at {markets} is not confirmed yet: no loan is claimed or called until it is.")
    if point.suspect:
        markets = " and ".join(quote.market.label for quote in point.suspect)
        said.append(
            f"{markets} has jumped alone and is far from the other market: its price does not count. Find out which"
            " market is right."
        )
    elif point.disputed and point.cautious.price is not None:
        said.append(
            f"The markets are far apart: loans are activated at {figure(point.cautious.price, 'GC')} a unit, and"
            f" claimed at {figure(point.known_price, 'GC')}. Find out which market is right."
        )
    return " ".join(said) or None


banners.append(_prices_in_doubt)


class GuardForm(forms.Form):
    mode = forms.ChoiceField(
        label="Mode", choices=[(one.value, one.value) for one in Mode], widget=UnfoldAdminSelectWidget
    )
    jump = AmountFormField(label="Jump", help_text="As a share of a price: 0.4 is 40 %")
    agreement = AmountFormField(label="Agreement", help_text="How near a quote must be to support another, as a share")
    dispute = AmountFormField(label="Dispute", help_text="How far apart two markets may be, as a share of the lower")
    why = why_field()


@admin.register(PriceGuard)
class PriceGuardAdmin(ReadOnlyAdmin):
    """All settings that ever held; the last one holds."""

    list_display = ("since", "mode", "jump", "agreement", "dispute", "changed_by")
    fields = list_display
    actions_list = ("change_guard",)
    since = instant_column("holds_from", "Holds from")

    def has_ask_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(two_people.PERMISSION))

    @command_button("Change guard", icon="tune", permission="ask", kind=ActionVariant.WARNING)
    def change_guard(self, request: HttpRequest) -> HttpResponse:
        def run(why: str, **settings: Any) -> str:
            return ask_on_page(request, two_people.CHANGE, settings, why)

        present = in_force(reading.guards(), clock.now())
        initial: dict[str, str | Decimal] = {
            "mode": present.mode.value, "jump": present.jump, "agreement": present.agreement,
            "dispute": present.dispute,
        }  # fmt: skip
        return command_page(
            request, GuardForm(request.POST or None, initial=initial), run,
            back=reverse("admin:pricing_priceguard_changelist"), title="Change the guard over prices",
            submit_text="Ask for it",
            explanation="Both of you are shown what the present and the new settings would have held of the quotes of"
            " the last seven days. One that is not on holds nothing: one false quote is believed at once.",
        )  # fmt: skip


@admin.register(HeldJump)
class HeldJumpAdmin(ReadOnlyAdmin):
    list_display = ("sent", "market", "before", "after", "mode", "outcome", "ended", "by", "reference")
    fields = list_display
    list_filter = ("market", "mode", "outcome")
    sent = instant_column("sent_at", "Sent")
    ended = instant_column("ended_at", "Pending until")
    before = amount_column("against", "GC a unit", "Before")
    after = amount_column("price", "GC a unit", "Quoted")
