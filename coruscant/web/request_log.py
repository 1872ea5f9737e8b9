"""Bounds on what django-structlog logs of a request: its id, path and user agent are the client's choice."""

from typing import Any

import structlog
from django.dispatch import receiver
from django_structlog import signals

from coruscant.web.problems import MAX_LOGGED_CHARACTERS

MAX_ID_CHARACTERS = 128


@receiver(signals.bind_extra_request_metadata)
def shorten_request_id(**_signal: Any) -> None:
    """Cut the id of the X-Request-ID header, which every line of the request and every task it sends carries."""
    request_id = structlog.contextvars.get_contextvars()["request_id"]
    if len(request_id) > MAX_ID_CHARACTERS:
        structlog.contextvars.bind_contextvars(request_id=request_id[:MAX_ID_CHARACTERS])


@receiver(
    [
        signals.bind_extra_request_metadata,
        signals.bind_extra_request_finished_metadata,
        signals.bind_extra_request_failed_metadata,
    ]
)
def shorten_fields(log_kwargs: dict[str, Any], **_signal: Any) -> None:
    """Cut every text of a line about a request."""
    for key, value in log_kwargs.items():
        if isinstance(value, str):
            log_kwargs[key] = value[:MAX_LOGGED_CHARACTERS]
