"""Filters of the admin's lists: a few options, each of which narrows a list by something that an index finds."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from coruscant import clock

#: Takes the rows of a list, and returns fewer.
Narrow = Callable[[QuerySet[Any]], QuerySet[Any]]


def option_filter(name: str, of: str, options: Mapping[str, tuple[str, Narrow]]) -> type[SimpleListFilter]:
    """A filter called `name`, with an option a key of `options`: the parameter `of` in the list's address."""

    class OptionFilter(SimpleListFilter):
        title, parameter_name = name, of

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(key, label) for key, (label, _narrow) in options.items()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            chosen = options.get(self.value() or "")
            return chosen[1](queryset) if chosen else queryset

    return OptionFilter


_AGES = {
    "2min": ("2 minutes", timedelta(minutes=2)),
    "10min": ("10 minutes", timedelta(minutes=10)),
    "1h": ("1 hour", timedelta(hours=1)),
    "1d": ("1 day", timedelta(days=1)),
}


def age_filter(name: str, field: str, only: Q, of: str = "longer_than") -> type[SimpleListFilter]:
    """Rows that `only` fits, and whose `field` is longer ago than one of a few ages."""

    def older(age: timedelta, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(only, **{f"{field}__lte": clock.now() - age})

    return option_filter(name, of, {key: (label, partial(older, age)) for key, (label, age) in _AGES.items()})


def over_filter(name: str, field: str, *bounds: int, unit: str = "GC") -> type[SimpleListFilter]:
    """Rows with more than one of a few amounts."""

    def over(bound: int, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(**{f"{field}__gt": Decimal(bound)})

    options = {str(bound): (f"Over {bound:,} {unit}", partial(over, bound)) for bound in bounds}
    return option_filter(name, f"{field}_over", options)


def sent_filter() -> type[SimpleListFilter]:
    """Of events: whether they have been sent."""
    return option_filter(
        "sending",
        "sending",
        {
            "waiting": ("To be sent", lambda rows: rows.filter(sent_at__isnull=True)),
            "sent": ("Sent", lambda rows: rows.filter(sent_at__isnull=False)),
        },
    )


#: Events that are not taken for longer than one of a few ages.
unsent_filter = partial(age_filter, "not sent for more than", "created_at", Q(sent_at__isnull=True))
