"""Bounds on what django-structlog logs of a request: its id, path and user agent are the client's choice."""

from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware

from coruscant.web.problems import MAX_LOGGED_CHARACTERS

# Every line of the request and every task it sends carries its id.
_LONGEST = {"HTTP_X_REQUEST_ID": 128, "HTTP_USER_AGENT": MAX_LOGGED_CHARACTERS}


class BoundedRequestMiddleware(RequestMiddleware):
    """django-structlog's middleware for headers and a path that are cut."""

    def prepare(self, request: HttpRequest) -> None:
        """Cut the headers and start the log of the request."""
        request.META |= {name: request.META[name][:most] for name, most in _LONGEST.items() if name in request.META}
        super().prepare(request)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Method and path."""
        return str(RequestMiddleware.format_request(request))[:MAX_LOGGED_CHARACTERS]
