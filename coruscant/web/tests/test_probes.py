"""Which paths answer to any Host."""

import pytest

from loans.api.tests.calls import refused

pytestmark = pytest.mark.django_db

by_any_name = pytest.mark.parametrize(
    "host", ["10.244.3.7:4000", "[fd00::7]:4000", "evil.example", "a b", "x" * 300, ""]
)


@by_any_name
def test_probes_and_scrapes_are_answered(client, host):
    for path in ("/health/live", "/health/live/", "/health/ready", "/metrics", "/metrics/"):
        assert client.get(path, HTTP_HOST=host).status_code == 200, path


@by_any_name
def test_nothing_else_is(client, host):
    for path in ("/loans", "/docs", "/schema", "/unknown", "/admin/login/", "/healthy", "/metrics2", "/"):
        assert client.get(path, HTTP_HOST=host).status_code == 400, path


def test_what_is_no_probe_is_not_found_and_none_can_be_posted_to(client):
    refused(client.get("/health/unknown", HTTP_HOST="10.244.3.7"), 404)
    refused(client.post("/health/ready", HTTP_HOST="10.244.3.7"), 405)
