"""Middleware of our own."""

from django.contrib.messages.middleware import MessageMiddleware
from django.http import HttpRequest


class AdminMessages(MessageMiddleware):
    """Messages for the admin's pages alone: for a call of the API, making their storage costs more than the parsing."""

    def process_request(self, request: HttpRequest) -> None:
        """Give requests of the admin a storage for messages."""
        if request.path_info.startswith("/admin/"):
            super().process_request(request)
