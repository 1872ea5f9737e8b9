"""Banners on top of every admin page, and cards on the index page. The apps add theirs to the lists below.

So this module imports none of the apps.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import site
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the index page; `kind` colours it: danger, warning, success or empty."""

    title: str
    figure: str
    note: str = ""
    url: str = ""
    kind: str = ""


#: Each returns the text of a banner, or None when there is nothing to say.
banners: list[Callable[[HttpRequest], str | None]] = []
#: Each returns the cards of one app.
cards: list[Callable[[HttpRequest], list[Card]]] = []


class _Notices:
    """The banners, then the messages of this request; the page templates iterate over it as `messages`."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._banners = [text for banner in banners if (text := banner(request))]

    def __bool__(self) -> bool:
        return bool(self._banners) or len(messages.get_messages(self._request)) > 0

    def __iter__(self) -> Iterator[Message]:
        for text in self._banners:
            yield Message(messages.ERROR, text, extra_tags="banner")
        yield from messages.get_messages(self._request)


def _page_context(context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Add to the context of every admin page; unfold calls this hook of the site."""
    if site.has_permission(request):
        context["messages"] = _Notices(request)
        context["cards"] = lambda: [card for app_cards in cards for card in app_cards(request)]
    return context


site.extra_context = _page_context  # type: ignore[attr-defined]
site.index_template = "coruscant_admin/index.html"
site.index_title = "Overview"
