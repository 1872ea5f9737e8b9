"""Which answer an exception gives, and what the logs say."""
# ruff: noqa: F811  (a fixture of another app is imported)

import logging
from io import BytesIO

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions

from coruscant.web import problems
from loans.api.parsers import BodyTooLarge, StrictJSONParser
from loans.conftest import set_best_price  # noqa: F401
from loans.tests.test_api_strictness import GOOD, send


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Http404(), 404),
        (PermissionDenied(), 403),
        (BadRequest(), 400),
        (SuspiciousOperation(), 400),
        (MultiPartParserError(), 400),
        (UnreadablePostError(), 400),
        (RequestDataTooBig(), 413),
        (DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), 400),
        (ValueError("A string literal cannot contain NUL (0x00) characters."), 400),
        (OperationalError(), 503),
        (InterfaceError(), 503),
        (DataError("numeric field overflow"), 500),
        (ZeroDivisionError("inside"), 500),
        (exceptions.Throttled(wait=7), 429),
        (exceptions.ValidationError("wrong"), 400),
    ],
)
def test_every_exception_has_an_answer(error, status):
    response = problems.exception_handler(error)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert "inside" not in response.content.decode()
    assert ("Retry-After" in response) == (status in {429, 503})


@pytest.mark.parametrize("handler", [problems.bad_request, problems.permission_denied, problems.not_found])
def test_the_admin_is_answered_with_pages_and_all_else_with_problems(rf, handler):
    assert handler(rf.get("/admin/x"), Exception("x"))["Content-Type"].startswith("text/html")
    assert handler(rf.get("/x"), Exception("x"))["Content-Type"] == "application/problem+json"


def test_a_server_error_of_the_admin_is_a_page(rf):
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        assert problems.server_error(rf.get("/admin/x"))["Content-Type"].startswith("text/html")
        assert problems.server_error(rf.get("/x"))["Content-Type"] == "application/problem+json"


class _Broken(BytesIO):
    def read(self, *_):
        raise UnreadablePostError


def test_a_client_that_hangs_up_is_no_error_of_ours():
    with pytest.raises(exceptions.ParseError):
        StrictJSONParser().parse(_Broken())


def test_a_stream_longer_than_announced_is_refused(settings):
    with pytest.raises(BodyTooLarge):
        StrictJSONParser().parse(BytesIO(b" " * (settings.API_MAX_BODY_BYTES + 1)))


@pytest.mark.django_db
def test_logs_carry_the_ids(client, set_best_price, caplog):
    with caplog.at_level(logging.INFO):
        send(client, "/loan-applications", GOOD)
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    (line,) = [line for line in lines if line["event"] == "loan_applied_for"]
    assert (line["request_id"], line["loan_id"]) == ("req-1", "L1")


def refusals(caplog):
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in lines if line["event"] == "request_refused"]


@pytest.mark.django_db
def test_a_refused_request_is_logged_with_its_ids_and_without_its_body(client, set_best_price, caplog):
    send(client, "/loan-applications", GOOD | {"amount": "secret", "borrowerId": 5})
    (line,) = refusals(caplog)
    assert (line["request_id"], line["loan_id"]) == ("req-1", "L1")
    assert (line["status"], line["problem"], line["fields"]) == (400, "invalid-request", ["borrowerId", "amount"])
    assert (line["method"], line["path"]) == ("POST", "/loan-applications")
    assert "secret" not in str(line)


@pytest.mark.django_db
def test_a_broken_rule_is_logged_by_its_name(client, set_best_price, caplog):
    send(client, "/collateral-top-ups", GOOD)
    (line,) = refusals(caplog)
    assert (line["status"], line["problem"], line["loan_id"]) == (404, "loan-not-found", "L1")


@pytest.mark.django_db
def test_what_cannot_be_read_or_trusted_is_logged_without_credentials(client, set_best_price, caplog):
    send(client, "/loan-applications", "{'secret'")
    send(client, "/loan-applications", GOOD, HTTP_AUTHORIZATION="Token secret")
    send(client, "/loan-applications", GOOD | {"requestId": "\0" * 9})
    assert [(line["status"], line["problem"]) for line in refusals(caplog)] == [
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (400, "invalid-request"),
    ]
    assert "secret" not in caplog.text
    assert "\\u0000" not in caplog.text
