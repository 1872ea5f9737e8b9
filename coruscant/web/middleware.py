"""Middleware of our own: what others do, left out where a call of the API would pay for it and nobody would see it."""

import uuid
from http import HTTPStatus

import structlog
from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from coruscant.web.problems import is_page


class RequestLog(RequestMiddleware):
    """Names the request, and its user on pages of the admin, in all that is logged of it.

    A call of the API that goes well has no line of its own here, so none is made ready. Who calls is told by a
    credential, and looked for later.
    """

    def prepare(self, request: HttpRequest) -> None:
        """Bind the id that the caller gave the request, or a new one."""
        if is_page(request):
            super().prepare(request)
        else:
            request_id = request.META.get("HTTP_X_REQUEST_ID") or str(uuid.uuid4())
            structlog.contextvars.bind_contextvars(request_id=request_id)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Log what went wrong, and forget the request."""
        if is_page(request) or response.streaming or response.status_code >= HTTPStatus.BAD_REQUEST:
            super().handle_response(request, response)
        else:
            structlog.contextvars.clear_contextvars()


class AdminMessages(MessageMiddleware):
    """Messages for the admin's pages alone: for a call of the API, making their storage costs more than the parsing."""

    def process_request(self, request: HttpRequest) -> None:
        """Give requests of the admin a storage for messages."""
        if is_page(request):
            super().process_request(request)
