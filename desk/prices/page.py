"""The page of prices, and the part of it that refreshes itself."""

from typing import Any

from desk.page import DeskPage
from desk.prices.read import read


class Prices(DeskPage):
    """What each market says, and what of it counts."""

    title = "Prices"
    template_name = "desk/prices/index.html"
    permission_required = "pricing.view_pricequote"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """With everything the page shows."""
        return {**super().get_context_data(**context), **read(self.request)}


class Figures(DeskPage):
    """The figures alone, which the page asks for every few seconds."""

    title = Prices.title
    template_name = "desk/prices/figures.html"
    permission_required = Prices.permission_required

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Without what the admin shows around a page: this is a part of one."""
        return read(self.request) | context
