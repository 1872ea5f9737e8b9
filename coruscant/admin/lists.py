"""The lists of the admin: what stays fast however many rows a table has, and what a list tells of its rows."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Paginator
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import capfirst
from unfold.templatetags import unfold_list
from unfold.views import ChangeList

from coruscant import clock
from coruscant.admin.columns import Listed

#: No more rows than these are counted, added up, sorted by a column or paged through.
MOST_ROWS = 10_000

_make_headings = unfold_list.result_headers


def _headings(listed: Any) -> Any:
    """The headings of a list, made once: Unfold makes them anew for each row, which is a sixth of a page's time."""
    if not hasattr(listed, "headings"):
        listed.headings = list(_make_headings(listed))
    return listed.headings


unfold_list.result_headers = _headings


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of the first `MOST_ROWS` rows: to count a million takes longer than to show fifty of them."""

    template_name = "coruscant_admin/pagination.html"

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: MOST_ROWS + 1].count())

    @cached_property
    def count(self) -> int:
        """The rows, or `MOST_ROWS` if there are more."""
        return min(self._counted, MOST_ROWS)

    @property
    def has_more(self) -> bool:
        """Whether there are rows that no page shows."""
        return self._counted > MOST_ROWS


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a column over all rows of the filtered list."""

    label: str
    shown: str


class RowList(ChangeList):  # type: ignore[misc]
    """A list whose rows know when they were listed, with the totals that its admin class names."""

    queryset: QuerySet[Any]

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.title = capfirst(self.opts.verbose_name_plural)
        listed = Listed(clock.now(), self._page_of)
        for row in self.result_list:
            row.listed = listed

    def get_results(self, request: HttpRequest) -> None:
        """The rows of this page. Those of a list with too many rows are in its own order, whatever was asked for."""
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        if ORDER_VAR in self.params and paginator.has_more:
            del self.params[ORDER_VAR]
            self.queryset = self.queryset.order_by(*self.get_ordering(request, self.queryset))
            messages.info(request, f"More than {MOST_ROWS:,} rows are not sorted: filter or search first.")
        super().get_results(request)

    def _page_of(self, row: Any) -> str:
        """The row's own page, which leads back to the list as it is filtered now."""
        filters = f"?{self.preserved_filters}" if self.preserved_filters else ""
        return f"{self.url_for_result(row)}{filters}"

    @property
    def count_text(self) -> str:
        """How many rows the filtered list has, as far as they are counted."""
        one, more = self.opts.verbose_name, self.opts.verbose_name_plural
        about = "More than " if self.paginator.has_more else ""
        return f"{about}{self.result_count:,} {one if self.result_count == 1 else more}"

    @property
    def figure_columns(self) -> list[str]:
        """The columns whose digits stand below each other."""
        return [name for name in self.list_display if getattr(self._column(name), "is_figure", False)]

    @cached_property
    def totals(self) -> list[Total]:
        """Of what the admin class names in `totals`, over all pages; none if there are too many rows, or one."""
        names = self.model_admin.totals
        if not names or self.paginator.has_more or self.result_count < 2:  # noqa: PLR2004
            return []
        columns = {name: self._column(name) for name in names}
        sums = self.queryset.order_by().aggregate(**{name: Sum(one.admin_order_field) for name, one in columns.items()})
        return [Total(one.short_description, one.show_sum(sums[name])) for name, one in columns.items()]

    def _column(self, name: Any) -> Any:
        return getattr(self.model_admin, str(name), None)
