"""Middleware of our own: what others do, left out where a call of the API would pay for it and nobody would see it."""

from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest

from coruscant.web.problems import is_page


class AdminMessages(MessageMiddleware):
    """Messages for the admin's pages alone: for a call of the API, making their storage costs more than the parsing."""

    def process_request(self, request: HttpRequest) -> None:
        """Give requests of the admin a storage for messages."""
        if is_page(request):
            super().process_request(request)
