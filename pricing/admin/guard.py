"""The guard over prices in the admin: its settings, what it held, and a banner while it holds something back."""

from django.contrib import admin
from django.http import HttpRequest

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.columns import amount_column, instant_column
from coruscant.admin.figures import figure
from coruscant.admin.overview import banners
from pricing import two_people  # noqa: F401  (registers the action)
from pricing.admin.price import price_now
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


@admin.register(PriceGuard)
class PriceGuardAdmin(ReadOnlyAdmin):
    list_display = ("since", "mode", "jump", "agreement", "dispute", "changed_by")
    fields = list_display
    since = instant_column("holds_from", "Holds from")


@admin.register(HeldJump)
class HeldJumpAdmin(ReadOnlyAdmin):
    list_display = ("sent", "market", "before", "after", "mode", "outcome", "ended", "by", "reference")
    fields = list_display
    list_filter = ("market", "mode", "outcome")
    sent = instant_column("sent_at", "Sent")
    ended = instant_column("ended_at", "Pending until")
    before = amount_column("against", "GC a unit", "Before")
    after = amount_column("price", "GC a unit", "Quoted")
