"""How the admin shows values: exact figures with their unit, instants in UTC, badges, links, and columns of them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.admin import display
from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from coruscant import money

#: Shown where there is no value.
NOTHING = "–"


def figure(value: Decimal | None, unit: str = "") -> str:
    """A figure as a plain decimal with its unit."""
    return NOTHING if value is None else f"{money.decimal_string(value)} {unit}".strip()


def percent(ratio: Decimal | None) -> str:
    """A ratio in percent with two decimals, rounded down: 80.00 % is shown only when it is reached."""
    if ratio is None:
        return NOTHING
    with money.exact():
        return f"{money.round_down(ratio * 100, 2):f} %"


def instant(at: datetime | None) -> str:
    """An instant to the second, in UTC."""
    return NOTHING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def badge(text: str, kind: str = "", title: str = "") -> SafeString:
    """A coloured label: `kind` is danger, warning, success, info, primary or empty; `title` shows on hovering."""
    label = render_to_string("unfold/helpers/label.html", {"text": text, "type": kind, "label_title": title})
    return mark_safe(label)  # noqa: S308  (rendered by a template that escapes)


def link_to(row: models.Model | None, text: str = "") -> str | SafeString:
    """A link to a row's own page."""
    if row is None:
        return NOTHING
    page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))
    return format_html('<a class="text-link" href="{}">{}</a>', page, text or str(row))


def preformatted(text: str) -> SafeString:
    """Text as it is, with its line breaks."""
    return format_html('<pre class="whitespace-pre-wrap break-all font-mono text-xs">{}</pre>', text)


def amount_column(field: str, unit: str, label: str) -> Any:
    """An admin column for a Decimal field."""

    @display(description=label, ordering=field)
    def column(_admin: object, row: models.Model) -> str:
        return figure(getattr(row, field), unit)

    return column


def instant_column(field: str, label: str) -> Any:
    """An admin column for a datetime field."""

    @display(description=label, ordering=field)
    def column(_admin: object, row: models.Model) -> str:
        return instant(getattr(row, field))

    return column


def status_column(kinds: dict[str, str], field: str = "status", label: str = "Status") -> Any:
    """An admin column for a choice field, as a badge coloured by value; hovering shows the choice in full."""

    @display(description=label, ordering=field)
    def column(_admin: object, row: models.Model) -> SafeString:
        value = getattr(row, field)
        return badge(str(value), kinds.get(value, ""), getattr(row, f"get_{field}_display")())

    return column
