"""Banners and notes on top of every admin page, and what waits for a person. The apps add theirs to the lists below."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import site
from django.contrib.messages.storage.base import Message
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject


@dataclass(frozen=True, slots=True)
class Card:
    """How many of something wait for a person, on the first page; `kind` is danger or warning if any do."""

    title: str
    figure: str
    note: str
    url: str
    kind: str = ""


#: Each returns the text of a banner, or None when there is nothing to say.
banners: list[Callable[[HttpRequest], str | None]] = []
#: The same of what is to be known, and asks nothing of anybody.
notes: list[Callable[[HttpRequest], str | None]] = []
cards: list[Callable[[HttpRequest], Card]] = []


def count_card(
    title: str, rows: QuerySet[Any], note: str, *, some: str = "danger", none: str = "success", query: str = ""
) -> Card:
    """How many rows there are, with a link to their list: of the kind `some`, or `none` if there are none."""
    count, options = rows.count(), rows.model._meta
    listed = reverse(f"admin:{options.app_label}_{options.model_name}_changelist") + query
    return Card(title, str(count), note, listed, some if count else none)


def notices(request: HttpRequest) -> list[Message]:
    """The banners and notes as they are now: read once a request, however many parts of its page show them."""
    if not hasattr(request, "_notices"):
        kinds = (messages.ERROR, banners), (messages.INFO, notes)
        found = [Message(kind, text) for kind, shown in kinds for show in shown if (text := show(request))]
        request._notices = found  # type: ignore[attr-defined]
    return request._notices  # type: ignore[attr-defined,no-any-return]


def _page_context(context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Add to the context of every admin page; unfold calls this hook of the site."""
    if site.has_permission(request):
        found = notices(request)
        # Lazy, because whoever reads the messages of a request takes them from the page that would show them.
        context["messages"] = SimpleLazyObject(lambda: [*found, *messages.get_messages(request)])
    return context


site.extra_context = _page_context  # type: ignore[attr-defined]
site.index_title = "Overview"
