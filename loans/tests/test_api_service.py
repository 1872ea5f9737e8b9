"""What surrounds the API: health, documentation, and how it does without its cache, broker or database."""

import time
from pathlib import Path

import jsonschema
import pytest
import yaml
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import OperationalError

from coruscant.web import health
from loans.tests.factories import LoanFactory
from loans.tests.test_api_strictness import GOOD, refused, send

DEAD = "redis://127.0.0.1:1/0"


@pytest.fixture
def dead_cache(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": DEAD}}


@pytest.fixture
def dead_broker(monkeypatch):
    monkeypatch.setattr(health.app, "connection_for_write", lambda: health.app.connection(DEAD))


@pytest.mark.django_db
def test_live_and_ready(client):
    for path in ("/health/live", "/health/live/", "/health/ready", "/health/ready/"):
        response = client.get(path)
        assert (response.status_code, response.json()["status"]) == (200, "ok")
    refused(client.post("/health/live"), 405)
    refused(client.post("/health/ready"), 405)


@pytest.mark.django_db
def test_without_cache_and_broker_the_service_is_ready_and_says_so(client, dead_cache, dead_broker):
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"] == {"database": "ok", "cache": "failing", "broker": "failing"}


def test_without_a_database_the_service_is_not_ready(client, monkeypatch):
    def fail():
        raise OperationalError

    monkeypatch.setattr(health, "_ask_database", fail)
    response = client.get("/health/ready")
    refused(response, 503)
    assert int(response["Retry-After"]) > 0


def test_a_server_that_hangs_does_not_hang_the_check():
    begun = time.monotonic()
    checks = [health._Check("slow", lambda: time.sleep(5)), health._Check("quick", lambda: None)]
    assert health.run(checks, deadline_seconds=0.2) == {"slow": "no answer", "quick": "ok"}
    assert time.monotonic() - begun < 2


@pytest.mark.django_db
def test_requests_are_accepted_without_a_cache(client, dead_cache):
    """With the real board: nothing in it has a price, and the cache cannot be asked."""
    assert send(client, "/loan-applications", GOOD).status_code == 202
    assert send(client, "/collateral-top-ups", GOOD).status_code == 202
    assert client.get("/loans/L1").json()["collateral"] == "1000"
    assert client.get("/loans").status_code == 200


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


def test_the_committed_schema_is_the_one_served(client, tmp_path):
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True)
    assert made.read_text() == (Path(django_settings.BASE_DIR) / "docs" / "openapi.yaml").read_text()
    served = client.get("/schema").json()
    assert served["paths"].keys() == yaml.safe_load(made.read_text())["paths"].keys()
    assert set(served["paths"]) == {"/loan-applications", "/collateral-top-ups", "/loans", "/loans/{loanId}"}


@pytest.mark.django_db
def test_responses_are_what_the_schema_says(client, set_best_price):
    set_best_price("50")
    schemas = client.get("/schema").json()["components"]["schemas"]
    LoanFactory(loan_id="active", active=True)
    for name, response in {
        "Loan": client.get("/loans/active"),
        "LoanPage": client.get("/loans"),
        "Problem": send(client, "/loan-applications", {}),
    }.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": _strict(schemas)}}
        jsonschema.Draft4Validator(schema).validate(response.json())


def _strict(schemas):
    """OpenAPI 3.0's nullable as JSON Schema, and no property that is not named."""
    closed = {}
    for name, schema in schemas.items():
        closed[name] = schema
        if "properties" in schema:
            properties = {
                key: {"anyOf": [value, {"type": "null"}]} if value.get("nullable") else value
                for key, value in schema["properties"].items()
            }
            closed[name] = schema | {"properties": properties, "additionalProperties": False}
    return closed


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
