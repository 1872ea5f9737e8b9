"""Whose log-ins are counted: names as they can be kept."""

from collections.abc import Mapping

from django.http import HttpRequest

#: As long as the column that keeps it.
_LONGEST = 255


def name_tried(request: HttpRequest, credentials: Mapping[str, str] | None = None) -> str:
    """The name of a log-in, cut, and without NULs, which PostgreSQL does not keep. Nobody has a name that needs it."""
    tried = credentials if credentials is not None else request.POST
    return str(tried.get("username") or "").replace("\0", "")[:_LONGEST]
