"""Every kind of bad body: a 400, 413 or 415 that names the fault, never a 500, and nothing written."""

import json
from io import BytesIO

import pytest
from gunicorn.http.errors import ChunkMissingTerminator, InvalidChunkSize, NoMoreData

from loans.models import AcceptedRequest, Loan
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db

PATHS = ["/loan-applications", "/collateral-top-ups"]
GOOD = {"requestId": "req-1", "loanId": "L1", "borrowerId": "borrower-1", "amount": "1000"}
PROBLEM = "application/problem+json"


@pytest.fixture(autouse=True)
def unpriced(set_best_price):
    pass


@pytest.fixture(params=PATHS)
def path(request):
    """Where a refused request goes; afterwards nothing must have been written."""
    LoanFactory(loan_id="L1")
    yield request.param
    assert AcceptedRequest.objects.count() == 0
    assert Loan.objects.count() == Loan.history.count() == 1


def send(client, path, body, content_type="application/json", **extra):
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(path, raw, content_type=content_type, **extra)


def refused(response, status):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    body = response.json()
    assert body["status"] == status
    assert {"type", "title"} <= body.keys()
    return body


def bad_fields(response):
    return {error["field"] for error in refused(response, 400)["errors"]}


@pytest.mark.parametrize(
    "amount",
    [
        1000,
        1000.5,
        True,
        None,
        [],
        {},
        "",
        " ",
        "NaN",
        "Infinity",
        "-Infinity",
        "sNaN",
        "+1",
        "-1",
        " 1",
        "1 ",
        "1\n",
        "1_000",
        "1,000",
        "0x10",
        "٣",
        "１",
        "½",
        "0",
        "0.0",
        "0e5",
        ".5",
        "5.",
        "1.2.3",
        "1e",
        "e5",
        "0." + "0" * 24 + "1",
        "1e-25",
        "1" + "0" * 20,
        "1e20",
        "1e9999",
        "1e-9999",
        "1e999999999999",
        "9" * 100_00,
        "1\0",
        "\ud800",
    ],
)
def test_bad_amounts(client, path, amount):
    assert bad_fields(send(client, path, GOOD | {"amount": amount})) == {"amount"}


@pytest.mark.parametrize("name", ["requestId", "loanId", "borrowerId"])
@pytest.mark.parametrize(
    "value", ["", " ", "\t\n", "\u3000", "x" * 129, 7, 1.5, True, None, [], {}, "a\0b", "\ud83d", "\udc00x"]
)
def test_bad_ids(client, path, name, value):
    assert bad_fields(send(client, path, GOOD | {name: value})) == {name}


@pytest.mark.parametrize("name", list(GOOD))
def test_missing_fields(client, path, name):
    assert bad_fields(send(client, path, {key: value for key, value in GOOD.items() if key != name})) == {name}


def test_every_bad_field_is_named(client, path):
    response = send(client, path, {"requestId": "", "borrowerId": 5, "amount": "-1"})
    assert bad_fields(response) == {"requestId", "loanId", "borrowerId", "amount"}
    assert all(error["detail"] for error in response.json()["errors"])


@pytest.mark.parametrize("raw", [b"", b"{}"])
def test_nothing_at_all(client, path, raw):
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
def test_malformed_bodies(client, path, raw):
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


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("5e-7", "0.0000005"),
        ("1E3", "1000"),
        ("1.50", "1.5"),
        ("007", "7"),
        ("1e+2", "100"),
        ("9" * 20 + "." + "9" * 24, "9" * 20 + "." + "9" * 24),
        ("1e-24", "0.000000000000000000000001"),
    ],
)
def test_amounts_are_kept_exactly(client, sent, kept):
    response = send(client, "/loan-applications", GOOD | {"amount": sent})
    assert response.status_code == 202
    assert response.json()["amount"] == kept == client.get("/loans/L1").json()["amount"]


@pytest.mark.parametrize("text", ["x" * 128, "🜚" * 128, "a/b?c#d%2F", ' "quoted" \\ ', "../..", "'; --"])
def test_ids_may_hold_any_character_that_can_be_stored(client, text):
    body = GOOD | {"requestId": text, "loanId": text, "borrowerId": text}
    response = send(client, "/loan-applications", body)
    assert response.status_code == 202
    assert (response.json()["loanId"], response.json()["borrowerId"]) == (text, text)
    assert send(client, "/loan-applications", body)["Idempotency-Replayed"] == "true"


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
def test_a_false_content_length_is_no_way_in(client, path, length, status):
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
def test_json_is_known_by_any_spelling(client, media_type):
    assert send(client, "/loan-applications", GOOD, content_type=media_type).status_code == 202


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*;q=0", "nonsense", "", "application/json"])
def test_json_whatever_the_client_accepts(client, accept):
    assert send(client, "/loan-applications", GOOD, HTTP_ACCEPT=accept)["Content-Type"] == "application/json"
    assert client.get("/loans", HTTP_ACCEPT=accept)["Content-Type"] == "application/json"
    refused(client.get("/loans/unknown", HTTP_ACCEPT=accept), 404)
