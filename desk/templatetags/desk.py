"""Figures in the templates of the desk, as the admin's lists show them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma

from coruscant.admin import figures
from coruscant.money import decimal_string
from loans.models import Loan

register = template.Library()

for _filter in (figures.gc, figures.units, figures.unit_price, figures.percent, figures.instant, figures.ago,
                figures.short_id, figures.badge):  # fmt: skip
    register.filter(_filter.__name__, _filter)


@register.filter
def exact(value: Decimal | None) -> str:
    """A figure to its last digit."""
    return figures.figure(value)


@register.filter
def grouped(number: int) -> str:
    """A count with its thousands separated."""
    return intcomma(number)


@register.filter
def signed_percent(ratio: Decimal | None) -> str:
    """A change in percent with its sign."""
    if ratio is None:
        return figures.NOTHING
    return f"{'−' if ratio < 0 else '+'}{figures.percent(abs(ratio))}"


@register.filter
def hours_of(span: timedelta) -> str:
    """A time span in whole minutes, or in whole hours from two on."""
    minutes = span // timedelta(minutes=1)
    return f"{minutes // 60} h" if minutes >= 120 else f"{minutes} min"  # noqa: PLR2004


@register.filter
def unlocalised(value: Any) -> str:
    """A number as attributes of HTML and SVG have it."""
    return decimal_string(value) if isinstance(value, Decimal) else str(value)


@register.filter
def of_hundred(ratio: Decimal | None) -> str:
    """A ratio as a place on a scale from 0 to 100, which it does not leave: for drawing only."""
    return f"{min(max(float(ratio or 0), 0.0), 1.0) * 100:.2f}"


@register.filter
def less(ratio: Decimal, other: Decimal) -> Decimal:
    """How much a ratio is above another one."""
    return ratio - other


@register.filter
def loan_link(loan: Loan) -> str:
    """The beginning of a loan's id, which leads to its page."""
    return figures.short_id(loan.loan_id, figures.page_of(loan))


@register.filter
def until_space(text: str) -> str:
    """The first word."""
    return text.partition(" ")[0]


@register.simple_tag
def cycle_class(number: int) -> str:
    """How the lines of a chart differ: by colour and by dashes."""
    return ("desk-first", "desk-second")[number % 2]
