"""Reads request bodies strictly, and answers in JSON whatever the client says it accepts."""

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError
from gunicorn.http.errors import ParseException
from rest_framework import exceptions, status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from coruscant import strict_json

#: A Content-Length of more digits is too large in any case.
_LONGEST_LENGTH = 18
#: In place of every JSON number.
NOT_TEXT = object()


class BodyTooLarge(exceptions.APIException):
    """The body is longer than API_MAX_BODY_BYTES."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class StrictJSONParser(BaseParser):
    """One JSON object in UTF-8: no duplicate keys, no NaN or Infinity, of bounded size.

    No number is converted, whatever its length: all known fields are strings. Raises ParseError and BodyTooLarge.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Read the body and return the object it holds."""
        body = _read(stream, parser_context)
        try:
            return strict_json.read_object(body, number=lambda _digits: NOT_TEXT)
        except strict_json.NotStrictJSON as error:
            raise exceptions.ParseError(str(error)) from None


class AlwaysJSON(BaseContentNegotiation):
    """Answers in JSON whatever Accept says, and takes JSON bodies only."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser of exactly the request's media type; parameters such as a charset do not count."""
        media_type = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer."""
        first = next(iter(renderers))
        return first, first.media_type


def take_chunked_body(request: HttpRequest) -> None:
    """Make a body without Content-Length readable, where the server marks its end (`wsgi.input_terminated`)."""
    meta = request.META
    if meta.get("CONTENT_LENGTH") or not meta.get("wsgi.input_terminated") or "HTTP_TRANSFER_ENCODING" not in meta:
        return
    try:
        body = meta["wsgi.input"].read(settings.API_MAX_BODY_BYTES + 1)
    except (OSError, ParseException) as error:  # gunicorn raises the latter for a malformed chunk
        # Raised again when the parser reads, where it becomes a 400.
        request._stream, length = _Broken(error), 1
    else:
        request._stream, length = BytesIO(body), len(body)
    meta["CONTENT_LENGTH"] = str(length)


class _Broken(BytesIO):
    """A body whose chunks cannot be read: malformed, or the client hung up in the middle."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def read(self, _size: int | None = -1, /) -> bytes:
        raise OSError(str(self._error)) from self._error


def _read(stream: IO[Any], context: Mapping[str, Any] | None) -> bytes:
    limit = settings.API_MAX_BODY_BYTES
    announced = str(context["request"].META.get("CONTENT_LENGTH", "")) if context else ""
    if announced.isdecimal() and (len(announced) > _LONGEST_LENGTH or int(announced) > limit):
        raise BodyTooLarge
    try:
        body: bytes = stream.read(limit + 1)
    except UnreadablePostError:
        raise exceptions.ParseError("The body could not be read.") from None
    if len(body) > limit:
        raise BodyTooLarge
    if announced.isdecimal() and len(body) < int(announced):
        raise exceptions.ParseError("The body is shorter than its Content-Length.")
    return body
