"""The overview, which is the admin's index, and the part of it that refreshes itself."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from desk.overview.read import read
from desk.page import DeskPage

#: What the page shows, whoever sees it may see.
NEEDED = ("loans.view_loan", "liquidation.view_liquidation", "pricing.view_pricequote", "desk.view_booksnapshot")


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the admin's index shows, by Unfold's hook: nothing to those who are in no group.

    Banners are in the part that refreshes itself, and not among the messages above it.
    """
    if not request.user.has_perms(NEEDED):
        return context | {"sees_nothing": True}
    return context | read(request) | {"messages": messages.get_messages(request)}


class Figures(DeskPage):
    """The figures of the overview alone, which the page asks for every two seconds."""

    title = "Overview"
    template_name = "desk/overview/figures.html"
    permission_required = NEEDED

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Without what the admin shows around a page: this is a part of one."""
        return read(self.request) | context
