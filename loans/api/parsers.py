"""Reads request bodies strictly, and answers in JSON whatever the client says it accepts."""

from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.conf import settings
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, UnreadablePostError
from gunicorn.http.errors import ParseException
from rest_framework import exceptions, status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from coruscant import strict_json

#: In place of every JSON number.
NOT_TEXT = object()
# REST framework reads no body whose length is 0 or missing; this one it passes to the parser.
_UNKNOWN_LENGTH = "-1"


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
        body = _read(stream, str(parser_context["request"].META.get("CONTENT_LENGTH")) if parser_context else "")
        if not body:
            return {}
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
        first = next(iter(renderers))
        return first, first.media_type


def take_chunked_body(request: HttpRequest) -> None:
    """Make a body without Content-Length readable, where the server marks its end (`wsgi.input_terminated`)."""
    meta = request.META
    if meta.get("CONTENT_LENGTH") or not meta.get("wsgi.input_terminated") or "HTTP_TRANSFER_ENCODING" not in meta:
        return
    stream: Any = LimitedStream(meta["wsgi.input"], settings.API_MAX_BODY_BYTES + 1)
    request._stream = stream
    meta["CONTENT_LENGTH"] = _UNKNOWN_LENGTH


def _read(stream: IO[Any], announced: str) -> bytes:
    limit = settings.API_MAX_BODY_BYTES
    if announced.isdecimal() and int(announced) > limit:
        raise BodyTooLarge
    try:
        body: bytes = stream.read(limit + 1)
    except (UnreadablePostError, ParseException):  # gunicorn raises the latter for a malformed chunk
        raise exceptions.ParseError("The body could not be read.") from None
    if len(body) > limit:
        raise BodyTooLarge
    if announced.isdecimal() and len(body) < int(announced):
        raise exceptions.ParseError("The body is shorter than its Content-Length.")
    return body
