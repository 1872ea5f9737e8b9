"""Bounds on what django-structlog logs of a request: its id and user agent are the client's choice.

The id of the call is the X-Request-ID that came with it, or one of its own. Answers have it in the same header, and
every line of the log as `http_request_id`; `request_id` becomes the requestId of the body as soon as that is known.
No line has parameters, which may name a borrower, or a path, which may hold anything: they have its template.
"""

import re

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from coruscant.web.problems import MAX_LOGGED_CHARACTERS
from coruscant.web.server_log import CALL_ID, ROUTE

# Every line of the request and every task it sends carries its id.
_HEADER = "X-Request-ID"
_LONGEST = {"HTTP_X_REQUEST_ID": 128, "HTTP_USER_AGENT": MAX_LOGGED_CHARACTERS}


class BoundedRequestMiddleware(RequestMiddleware):
    """django-structlog's middleware for headers that are cut, and paths by their template."""

    def prepare(self, request: HttpRequest) -> None:
        """Cut the headers and start the log of the request."""
        request.META |= {name: request.META[name][:most] for name, most in _LONGEST.items() if name in request.META}
        super().prepare(request)
        call_id = structlog.contextvars.get_contextvars()["request_id"]
        structlog.contextvars.bind_contextvars(http_request_id=call_id)
        request.META[CALL_ID] = call_id

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Give the answer the id of the call, but for what no header can carry, and end the log of the request."""
        response[_HEADER] = re.sub(r"[^\x20-\x7e]", "?", request.META[CALL_ID])
        request.META[ROUTE] = getattr(request.resolver_match, "route", None)
        super().handle_response(request, response)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Method, and the template of the path once that is known."""
        return f"{request.method} {getattr(request.resolver_match, 'route', None) or '-'}"
