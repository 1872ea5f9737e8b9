"""Columns of the admin's lists, which are fields of its pages as well."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import display
from django.db import models

from coruscant.admin.figures import badge, figure, instant


def column(label: str, show: Callable[[Any], str], ordering: str | None = None) -> Any:
    """An admin column with what `show` makes of a row."""

    @display(description=label, ordering=ordering)
    def shown(_admin: object, row: models.Model) -> str:
        return show(row)

    return shown


def amount_column(field: str, unit: str, label: str) -> Any:
    """An admin column for a Decimal field."""
    return column(label, lambda row: figure(getattr(row, field), unit), field)


def instant_column(field: str, label: str) -> Any:
    """An admin column for a datetime field."""
    return column(label, lambda row: instant(getattr(row, field)), field)


def status_column(kinds: dict[str, str]) -> Any:
    """An admin column for the status, as a badge coloured by value; hovering shows the status in full."""
    return column(
        "Status", lambda row: badge(row.status, kinds.get(row.status, ""), row.get_status_display()), "status"
    )
