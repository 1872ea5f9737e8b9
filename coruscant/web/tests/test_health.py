"""Health while cache, broker or database do not answer."""

import re
import time

import pytest
from django.db import OperationalError

from coruscant.web import health
from loans.api.tests.calls import refused
from tests.compose import ROOT, read_services

DEAD = "redis://127.0.0.1:1/0"


@pytest.fixture
def dead_cache(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": DEAD}}


@pytest.fixture
def dead_broker(monkeypatch):
    monkeypatch.setattr(health.app, "connection_for_write", lambda: health.app.connection(DEAD))


@pytest.mark.django_db
def test_live_and_ready_answer_200_and_refuse_to_be_posted_to(client):
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
    checks = {"slow": lambda: time.sleep(5), "quick": lambda: None}
    assert health.run(checks, deadline_seconds=0.2) == {"slow": "no answer", "quick": "ok"}
    assert time.monotonic() - begun < 2


def test_a_probe_hears_the_answer_before_it_gives_up():
    compose = str(read_services()["web"]["healthcheck"]["test"])
    chart = (ROOT / "deploy" / "helm" / "coruscant" / "templates" / "web.yaml").read_text()
    patience = re.findall(r"/health/ready', timeout=(\d+)\)", compose)
    patience += re.findall(r"path: /health/ready,[^\n]*\n(?:[^\n]*\n)?\s*timeoutSeconds: (\d+)", chart)
    assert len(patience) == 2
    assert min(float(seconds) for seconds in patience) > health.DEADLINE_SECONDS + 0.5
