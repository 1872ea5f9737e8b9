"""How the admin shows values: exact figures with their unit, short ones for lists, instants in UTC, badges and links.

What is short has the whole of it in its title, which shows on hovering.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from coruscant import money

#: Shown where there is no value.
NOTHING = "–"

#: Ids up to this long are shown whole; of longer ones, the beginning.
_LONGEST_WHOLE_ID = 12
_BEGINNING_OF_AN_ID = 8
#: Up to the second, an age is said in the first.
_AGES = (("s", timedelta(seconds=1), timedelta(minutes=2)), ("min", timedelta(minutes=1), timedelta(hours=2)),
         ("h", timedelta(hours=1), timedelta(days=2)))  # fmt: skip


def figure(value: Decimal | None, unit: str = "") -> str:
    """A figure as a plain decimal with its unit."""
    return NOTHING if value is None else f"{money.decimal_string(value)} {unit}".strip()


def gc(value: Decimal | None) -> str:
    """An amount of GC with two decimals; the unit is for the heading to say."""
    return _short(value, 2, "GC")


def units(value: Decimal | None) -> str:
    """Units of Beskar with four decimals."""
    return _short(value, 4, "units")


def unit_price(value: Decimal | None) -> str:
    """A price in GC a unit with two decimals."""
    return _short(value, 2, "GC a unit")


def _short(value: Decimal | None, places: int, unit: str) -> str:
    """Rounded to the nearest, thousands separated; what is not zero is not shown as zero."""
    if value is None:
        return NOTHING
    least = Decimal(1).scaleb(-places)
    text = f"< {least:f}" if 0 < value < least else f"{value:,.{places}f}"
    return format_html('<span class="figure" title="{}">{}</span>', figure(value, unit), text)


def percent(ratio: Decimal | None) -> str:
    """A ratio in percent with two decimals, rounded down: 80.00 % is shown only when it is reached."""
    if ratio is None:
        return NOTHING
    with money.exact():
        return f"{money.round_down(ratio * 100, 2):f} %"


def instant(at: datetime | None) -> str:
    """An instant to the second, in UTC."""
    return NOTHING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ago(at: datetime | None, now: datetime) -> str:
    """How long before `now` an instant was, or how long after it will be."""
    if at is None:
        return NOTHING
    age = abs(now - at)
    unit, length = next(((name, one) for name, one, most in _AGES if age < most), ("d", timedelta(days=1)))
    said = f"{age // length} {unit}"
    return format_html(
        '<time class="age" datetime="{}" title="{}">{}</time>',
        f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", instant(at), f"{said} ago" if at <= now else f"in {said}",
    )  # fmt: skip


def short_id(text: str, address: str = "") -> str:
    """The beginning of a long id with a button that copies the whole (`copy.js`), as a link if there is an address.

    Letters stay as they are: ids are told apart by their case.
    """
    if not text:
        return NOTHING
    shown = text if len(text) <= _LONGEST_WHOLE_ID else f"{text[:_BEGINNING_OF_AN_ID]}…"
    if address:
        shown = format_html('<a class="text-link" href="{}">{}</a>', address, shown)
    if len(text) <= _LONGEST_WHOLE_ID:
        return format_html('<span class="id">{}</span>', shown)
    return format_html(
        '<span class="id" title="{}">{}<button type="button" class="copy material-symbols-outlined" data-copy="{}"'
        ' aria-label="Copy {}">content_copy</button></span>',
        text, shown, text, text,
    )  # fmt: skip


def badge(text: str, kind: str = "", title: str = "") -> str:
    """Text in colour: `kind` is danger, warning, success, info, primary or empty; `title` shows on hovering."""
    return _badge(text, kind, title) if text else NOTHING


@lru_cache(maxsize=512, typed=True)  # the rows of a list have the same few; typed, since safe text is not escaped
def _badge(text: str, kind: str, title: str) -> str:
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
