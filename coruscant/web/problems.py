"""Errors as RFC 9457 problem details: `application/problem+json` for everything that is not a page of the admin.

A broken rule answers with its own type, title and status; an unexpected error is logged with its traceback and
answers 500 without internals; a database that cannot be reached answers 503 with Retry-After.
"""

import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views import defaults
from rest_framework import exceptions

from coruscant.errors import DomainError

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
#: When a client may try again if the database cannot be reached: after so many seconds.
RETRY_LATER = {"Retry-After": "5"}

_TYPE_PREFIX = "urn:coruscant-bank:problem:"
_UNREADABLE = (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError, ValidationError)
#: A text that a client chose is logged up to this length.
MAX_LOGGED_CHARACTERS = 200


def problem(
    status: int, *, code: str = "", title: str = "", headers: Mapping[str, str] | None = None, **members: Any
) -> HttpResponse:
    """A problem details response, with further members such as `detail`.

    Without a `code`, the type is about:blank and the title is the status's phrase.
    """
    body = {
        "type": f"{_TYPE_PREFIX}{code}" if code else "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        **members,
    }
    # ASCII: a message that quotes half a surrogate pair must not break its own encoding.
    return HttpResponse(json.dumps(body), status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def refuse_writes(request: HttpRequest) -> HttpResponse | None:
    """A 405 unless the request only reads."""
    return None if request.method in {"GET", "HEAD"} else problem(405, headers={"Allow": "GET, HEAD"})


def exception_handler(error: Exception, context: Mapping[str, Any] | None = None) -> HttpResponse:
    """Answer any exception of an API view. Registered as REST framework's EXCEPTION_HANDLER.

    A refusal is logged with its reason and the ids bound so far; nothing of the body or the credential is logged.
    """
    response = _api_answer(error)
    if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        body, request = json.loads(response.content), (context or {}).get("request")
        log.warning(
            "request_refused",
            status=body["status"],
            problem=body["title"] if body["type"] == "about:blank" else body["type"].removeprefix(_TYPE_PREFIX),
            detail=body.get("detail", "")[:MAX_LOGGED_CHARACTERS],
            fields=[one["field"] for one in body.get("errors", [])],
            method=getattr(request, "method", None),
            route=getattr(getattr(request, "resolver_match", None), "route", None),
        )
    return response


def _api_answer(error: Exception) -> HttpResponse:
    if isinstance(error, DomainError):
        return problem(error.status, detail=str(error), code=error.code, title=error.title)
    if isinstance(error, exceptions.ValidationError):
        return _invalid(error)
    if isinstance(error, exceptions.APIException):
        return problem(error.status_code, detail=str(error.detail), headers=_headers_of(error))
    return _answer(error)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return defaults.bad_request(request, exception) if is_page(request) else problem(HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return defaults.permission_denied(request, exception) if is_page(request) else problem(HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404, and the view of every unknown path."""
    if is_page(request):
        return defaults.page_not_found(request, exception or Http404())
    return problem(HTTPStatus.NOT_FOUND, detail="There is nothing at this path.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, for errors outside API views, for instance in a middleware."""
    error = sys.exc_info()[1]
    if is_page(request) or not isinstance(error, Exception):
        return defaults.server_error(request)
    return _answer(error)


def is_page(request: HttpRequest) -> bool:
    """Whether a request is for a page of the admin, which a person reads; programs call everything else."""
    return request.path_info.startswith("/admin/")


def _answer(error: Exception) -> HttpResponse:
    """Answer an exception that is neither a broken rule nor REST framework's own."""
    if isinstance(error, Http404):
        return problem(HTTPStatus.NOT_FOUND)
    if isinstance(error, PermissionDenied):
        return problem(HTTPStatus.FORBIDDEN)
    if isinstance(error, RequestDataTooBig):
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    # Text with NUL, which the database cannot store, comes from a cookie for instance.
    holds_nul = isinstance(error, DataError | ValueError) and "NUL (0x00)" in str(error)
    if holds_nul or isinstance(error, _UNREADABLE):
        return problem(HTTPStatus.BAD_REQUEST, detail="The request cannot be read.")
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database_unavailable", error=str(error))
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            detail="The service cannot reach its database. Repeat the same request later.",
            headers=RETRY_LATER,
        )
    log.error("unexpected_error", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail="The service failed. Repeat the same request later.")


def _headers_of(error: exceptions.APIException) -> dict[str, str]:
    wait = getattr(error, "wait", None)
    headers = {"WWW-Authenticate": getattr(error, "auth_header", None), "Retry-After": str(int(wait)) if wait else None}
    return {name: value for name, value in headers.items() if value}


def _invalid(error: exceptions.ValidationError) -> HttpResponse:
    """Name every bad field."""
    found = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    errors = [
        {"field": str(field), "detail": " ".join(map(str, details)) if isinstance(details, list) else str(details)}
        for field, details in found.items()
    ]
    return problem(
        HTTPStatus.BAD_REQUEST,
        detail=f"These fields are not valid: {', '.join(item['field'] for item in errors)}.",
        code="invalid-request",
        title="The request is not valid",
        errors=errors,
    )
