"""The API while the cache does not answer, with the best price as it really is read."""

import pytest

from loans.api.tests.calls import GOOD, send


@pytest.mark.django_db
def test_requests_are_accepted_and_loans_are_shown(client, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert send(client, "/loan-applications", GOOD).status_code == 202
    assert send(client, "/collateral-top-ups", GOOD).status_code == 202
    assert client.get("/loans/L1").json()["collateral"] == "1000"
    assert client.get("/loans").status_code == 200
