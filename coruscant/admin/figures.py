"""How the admin shows values: exact figures with their unit, instants in UTC, badges and links."""

from datetime import UTC, datetime
from decimal import Decimal

from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

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


def badge(text: str, kind: str = "", title: str = "") -> str:
    """Text in colour: `kind` is danger, warning, success, info, primary or empty; `title` shows on hovering."""
    if not text:
        return NOTHING
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": kind, "label_title": title})


def page_of(row: models.Model) -> str:
    """The address of a row's own page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))


def link_to(row: models.Model | None, text: str = "") -> str:
    """A link to a row's own page."""
    if row is None:
        return NOTHING
    return format_html('<a class="text-link" href="{}">{}</a>', page_of(row), text or str(row))


def preformatted(text: str) -> str:
    """Text as it is, with its line breaks."""
    if not text:
        return NOTHING
    return format_html('<pre class="whitespace-pre-wrap break-all font-mono text-xs">{}</pre>', text)
