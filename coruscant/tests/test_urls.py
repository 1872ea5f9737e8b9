"""Paths that belong to no app: the documentation, the root, and everything else."""

import pytest

from loans.api.tests.calls import refused


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/redoc", "/redoc/"])
def test_the_documentation_is_open_and_needs_no_other_server(client, settings, path):
    settings.API_ALLOW_ANONYMOUS = False
    response = client.get(path, HTTP_ACCEPT="application/json")
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"//cdn" not in response.content
    assert b"/static/drf_spectacular_sidecar/" in response.content


def test_the_root_leads_to_the_documentation(client):
    response = client.get("/")
    assert (response.status_code, response["Location"]) == (302, "/docs")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/unknown",
        "/loan-application",
        "/api/loans",
        "/loan-applications/x",
        "/loans%00",
        "/loans/%00",
        "/loans/a%00b",
    ],
)
def test_unknown_paths_are_not_found(client, path):
    refused(client.get(path), 404)
    refused(client.post(path), 404)


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
def test_unknown_paths_are_problems_while_debugging_too(client, settings, debug):
    settings.DEBUG = debug
    refused(client.get("/unknown"), 404)
