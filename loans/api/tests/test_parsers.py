"""Every kind of bad body: a 400, 413 or 415 that says what is wrong, never a 500, and nothing is written."""

import json
from io import BytesIO

import pytest
from django.http import UnreadablePostError
from gunicorn.http.errors import ChunkMissingTerminator, InvalidChunkSize, NoMoreData
from rest_framework import exceptions

from loans.api.parsers import BodyTooLarge, StrictJSONParser
from loans.api.tests.calls import GOOD, bad_fields, refused, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unpriced")]


@pytest.mark.parametrize("raw", [b"", b"{}"])
def test_an_empty_body_lacks_every_field(client, path, raw):
    assert bad_fields(send(client, path, raw)) == set(GOOD)


BROKEN = {
    "not an object": b"[]",
    "a string": b'"x"',
    "a number": b"1",
    "null": b"null",
    "cut off": b'{"requestId": "req-1"',
    "blank": b"   ",
    "trailing text": b'{"a": 1} x',
    "single quotes": b"{'a': 1}",
    "NaN": b'{"amount": NaN}',
    "infinity": b'{"amount": -Infinity}',
    "unknown NaN": json.dumps(GOOD).encode()[:-1] + b', "other": NaN}',
    "duplicate key": b'{"requestId": "req-0", ' + json.dumps(GOOD).encode()[1:],
    "duplicate key of half a pair": b'{"\\ud800": 1, "\\ud800": 2}',
    "invalid UTF-8": b'{"requestId": "\xff"}',
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "deep arrays": b"[" * 60_000,
    "deep objects": b'{"a":' * 10_000,
    "deep inside": b'{"other": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "control character": b'{"requestId": "a\x00b"}',
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN.keys())
def test_a_malformed_body_is_refused(client, path, raw):
    assert refused(send(client, path, raw), 400)["detail"]


@pytest.mark.parametrize("digits", [b"9" * 60_000, b"1e999999999", b"-0", b"1.5"])
def test_a_number_of_any_size_is_no_amount(client, path, digits):
    raw = json.dumps(GOOD).encode().replace(b'"1000"', digits)
    assert bad_fields(send(client, path, raw)) == {"amount"}


@pytest.mark.parametrize(
    "unknown",
    [b"9" * 50_000, b"1e999999999", b'"\\ud800\\u0000"', b"[" * 50 + b"]" * 50, b'{"assetType": "BESKAR"}', b"null"],
)
def test_unknown_fields_are_ignored(client, unknown):
    raw = json.dumps(GOOD).encode()[:-1] + b', "collateralAmount": ' + unknown + b"}"
    assert send(client, "/loan-applications", raw).status_code == 202


def test_a_body_over_the_limit_is_refused(client, path, settings):
    raw = json.dumps(GOOD | {"other": "x" * settings.API_MAX_BODY_BYTES})
    refused(send(client, path, raw), 413)


def test_a_body_at_the_limit_is_read(client, settings):
    raw = json.dumps(GOOD)
    raw += " " * (settings.API_MAX_BODY_BYTES - len(raw))
    assert send(client, "/loan-applications", raw).status_code == 202
    assert send(client, "/loan-applications", raw + " ").status_code == 413


def chunked(client, path, raw, **extra):
    """A request with Transfer-Encoding chunked as gunicorn hands it over: no length, an input that ends."""
    environ = {"wsgi.input": BytesIO(raw), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return client.generic("POST", path, b"", CONTENT_TYPE="application/json", **environ, **extra)


def test_a_chunked_body_is_read(client):
    assert chunked(client, "/loan-applications", json.dumps(GOOD).encode()).status_code == 202


def test_a_chunked_body_over_the_limit_is_refused(client, path, settings):
    refused(chunked(client, path, b" " * (settings.API_MAX_BODY_BYTES + 1)), 413)


class _BrokenChunks(BytesIO):
    """As gunicorn's input is when a chunk is malformed, or the client hung up in the middle of one."""

    def __init__(self, error):
        self.error = error

    def read(self, *_):
        raise self.error


@pytest.mark.parametrize("error", [InvalidChunkSize(b"zz"), ChunkMissingTerminator(b""), NoMoreData(b"5"), OSError()])
def test_a_broken_chunk_is_the_clients_fault(client, path, error):
    environ = {"wsgi.input": _BrokenChunks(error), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    response = client.generic("POST", path, b"", CONTENT_TYPE="application/json", **environ)
    assert refused(response, 400)["detail"] == "The body could not be read."


def test_a_body_that_was_cut_off_is_refused_even_if_it_reads_well(client, path):
    raw = json.dumps(GOOD).encode()
    environ = {"wsgi.input": BytesIO(raw), "CONTENT_LENGTH": str(len(raw) + 50)}
    response = client.generic("POST", path, b"", CONTENT_TYPE="application/json", **environ)
    assert refused(response, 400)["detail"] == "The body is shorter than its Content-Length."


@pytest.mark.parametrize(
    ("length", "status"), [("5", 400), ("0", 400), ("x", 400), ("-1", 400), ("", 400), ("9" * 30, 413), ("70000", 413)]
)
def test_a_false_content_length_is_refused(client, path, length, status):
    refused(send(client, path, GOOD, CONTENT_LENGTH=length), status)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/xml",
        "application/merge-patch+json",
        "*/*",
        "application/*",
        "nonsense",
        "",
    ],
)
def test_other_media_types_are_refused(client, path, media_type):
    refused(send(client, path, GOOD, content_type=media_type), 415)


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;"])
def test_any_spelling_of_the_json_media_type_is_accepted(client, media_type):
    assert send(client, "/loan-applications", GOOD, content_type=media_type).status_code == 202


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*;q=0", "nonsense", "", "application/json"])
def test_the_answer_is_json_whatever_the_client_accepts(client, accept):
    assert send(client, "/loan-applications", GOOD, HTTP_ACCEPT=accept)["Content-Type"] == "application/json"
    assert client.get("/loans", HTTP_ACCEPT=accept)["Content-Type"] == "application/json"
    refused(client.get("/loans/unknown", HTTP_ACCEPT=accept), 404)


class _HungUp(BytesIO):
    def read(self, *_):
        raise UnreadablePostError


def test_a_client_that_hangs_up_is_a_parse_error():
    with pytest.raises(exceptions.ParseError):
        StrictJSONParser().parse(_HungUp())


def test_a_stream_longer_than_announced_is_refused(settings):
    with pytest.raises(BodyTooLarge):
        StrictJSONParser().parse(BytesIO(b" " * (settings.API_MAX_BODY_BYTES + 1)))
