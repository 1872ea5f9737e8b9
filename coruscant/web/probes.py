"""Probes and scrapes, which come by the address of a pod: no setting can name all of those."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve

from coruscant.web.server_log import ROUTE

_PATHS = re.compile(r"/(health/.*|metrics/?)")


class ProbesMiddleware:
    """Answers `/health/…` and `/metrics` whatever the Host, before anything else looks at it. They make no links."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """As any middleware; it must be the first."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Go straight to the view of a probe."""
        if not _PATHS.fullmatch(request.path_info):
            return self.get_response(request)
        view = resolve(request.path_info)
        request.META[ROUTE] = view.route
        response: HttpResponseBase = view.func(request, *view.args, **view.kwargs)
        return response
