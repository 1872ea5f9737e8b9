"""Which answer each exception gives."""

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions

from coruscant.web import problems
from loans.api.tests.calls import refused


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


@pytest.mark.django_db
def test_a_missing_page_of_the_admin_is_a_page(client):
    response = client.get("/admin/unknown/")
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_a_problem(client):
    refused(client.get("/loans", HTTP_HOST="evil.example"), 400)


@pytest.mark.django_db
def test_an_error_in_a_middleware_is_a_problem(client, monkeypatch):
    def fail(*_):
        raise OperationalError

    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", fail)
    client.raise_request_exception = False
    refused(client.get("/loans"), 503)
