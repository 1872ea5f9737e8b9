"""The API while the cache does not answer, with the best price as it really is read."""

import time

import pytest
from django.core.cache import cache

from coruscant import clock
from coruscant.tests.wire import Wire
from loans.api.tests.calls import GOOD, send
from pricing.markets import Market
from pricing.models import PriceQuote

pytestmark = pytest.mark.django_db


def test_requests_are_accepted_and_loans_are_shown(client, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert send(client, "/loan-applications", GOOD).status_code == 202
    assert send(client, "/collateral-top-ups", GOOD).status_code == 202
    assert client.get("/loans/L1").json()["collateral"] == "1000"
    assert client.get("/loans").status_code == 200


@pytest.fixture
def wire(stack, settings):
    """Between the cache and its Redis; a connection is open."""
    with Wire(stack.valkey.host, stack.valkey.port) as between:
        through = stack.valkey.cache_url.replace(f":{stack.valkey.port}/", f":{between.port}/")
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": through}}
        cache.set("said", "something")
        yield between


@pytest.mark.parametrize("priced", [True, False], ids=["with a price", "without a price"])
def test_a_redis_that_swallows_everything_costs_a_request_less_than_a_second(client, wire, priced):
    if priced:
        now, levels = clock.now(), [["1", "50"]]
        times = {"market_time": 1, "sent_at": now, "received_at": now, "evaluated_at": now}
        PriceQuote.objects.create(market=Market.MOS_ESPA, message_id="M", sell=levels, buy=levels, **times)
    client.get("/loans")  # the first request of a process takes longer, whatever Redis does
    wire.fall_silent()

    def within_a_second(call):
        began = time.monotonic()
        answer = call()
        assert time.monotonic() - began < 1
        return answer

    assert within_a_second(lambda: send(client, "/loan-applications", GOOD)).status_code == 202
    assert within_a_second(lambda: send(client, "/collateral-top-ups", GOOD)).status_code == 202
    assert within_a_second(lambda: client.get("/loans/L1")).json()["collateral"] == "1000"
    assert within_a_second(lambda: client.get("/loans")).status_code == 200
