"""Columns of the admin's lists, which are fields of its pages as well.

In a list a column shows the short form of a value, on a row's own page all of it, in an export the bare value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.admin import display
from django.db import models
from django.utils.html import format_html

from coruscant.admin.figures import (
    NOTHING,
    ago,
    badge,
    figure,
    gc,
    instant,
    link_to,
    page_of,
    percent,
    short_id,
    unit_price,
)
from coruscant.admin.figures import units as short_units


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says to its rows, as `row.listed`: the instant it was made, and how a row's own page is found."""

    now: datetime
    page_of: Callable[[models.Model], str]


@dataclass(frozen=True, slots=True)
class Export:
    """A column of an export: its heading, and the value of a row."""

    label: str
    value: Callable[[Any], Any]


def column(
    label: str,
    show: Callable[[Any], str],
    ordering: str | None = None,
    *,
    short: Callable[[Any, Listed], str] | None = None,
    export: Export | None = None,
    is_figure: bool = False,
) -> Any:
    """An admin column with what `show` makes of a row, and in a list what `short` does, if that is given.

    Without `export`, an export has the text of `show`. Figures stand at the right of their column.
    """

    @display(description=label, ordering=ordering)
    def shown(_admin: object, row: models.Model) -> str:
        listed: Listed | None = getattr(row, "listed", None)
        return show(row) if listed is None or short is None else short(row, listed)

    made: Any = shown
    made.export, made.is_figure = export, is_figure
    return made


_SHORT: dict[str, Callable[[Decimal | None], str]] = {"GC": gc, "units": short_units, "GC a unit": unit_price}


def amount_column(field: str, unit: str, label: str) -> Any:
    """An admin column for a Decimal field."""
    shortened = _SHORT.get(unit, figure)
    sign = "GC" if unit == "GC a unit" else unit  # a price's heading says that it is one, its title the rest

    def short(value: Decimal | None) -> str:
        return format_html('{} <span class="unit">{}</span>', shortened(value), "" if value is None else sign)

    made = column(
        label, lambda row: figure(getattr(row, field), unit), field,
        short=lambda row, _listed: short(getattr(row, field)),
        export=Export(f"{label} ({unit})", lambda row: getattr(row, field)), is_figure=True,
    )  # fmt: skip
    made.show_sum = short
    return made


def ratio_column(label: str, ratio: Callable[[Any], Decimal | None]) -> Any:
    """An admin column for a ratio, in percent; exported as it is."""
    return column(label, lambda row: percent(ratio(row)), export=Export(label, ratio), is_figure=True)


def instant_column(field: str, label: str) -> Any:
    """An admin column for a datetime field: in a list, how long ago it was."""
    return column(
        label, lambda row: instant(getattr(row, field)), field,
        short=lambda row, listed: ago(getattr(row, field), listed.now),
        export=Export(label, lambda row: getattr(row, field)),
    )  # fmt: skip


def _id(row: Any, field: str) -> str:
    value = getattr(row, field)
    return "" if value is None else str(value)


def id_column(field: str, label: str) -> Any:
    """An admin column for an id that others have given, of any length."""
    return column(
        label, lambda row: _id(row, field) or NOTHING, field,
        short=lambda row, _listed: short_id(_id(row, field)), export=Export(label, lambda row: _id(row, field)),
    )  # fmt: skip


def own_id_column(field: str, label: str) -> Any:
    """The same for the id of the row itself, which leads to the row's page: the first column of a list."""
    made = column(
        label, lambda row: _id(row, field), field,
        short=lambda row, listed: short_id(_id(row, field), listed.page_of(row)),
        export=Export(label, lambda row: _id(row, field)),
    )  # fmt: skip
    made.leads_to_the_row = True
    return made


def link_column(label: str, find: Callable[[Any], models.Model | None], ordering: str | None = None) -> Any:
    """An admin column that leads to another row, under what that is called."""

    def short(row: Any, _listed: Listed) -> str:
        found = find(row)
        return link_to(None) if found is None else short_id(str(found), page_of(found))

    return column(
        label, lambda row: link_to(find(row)), ordering,
        short=short, export=Export(label, lambda row: find(row) and str(find(row))),
    )  # fmt: skip


def status_column(kinds: dict[str, str]) -> Any:
    """An admin column for the status, as a badge coloured by value; hovering shows the status in full."""
    return column(
        "Status", lambda row: badge(row.status, kinds.get(row.status, ""), row.get_status_display()), "status",
        export=Export("Status", lambda row: row.status),
    )  # fmt: skip
