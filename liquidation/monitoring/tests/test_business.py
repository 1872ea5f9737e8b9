"""`/health/business`: 200 while all goes well, else 503 with every reason."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from coruscant import clock
from coruscant.monitoring import signs_of_life
from liquidation.models import LiquidationEvent
from liquidation.monitoring import business, invariant_checks
from liquidation.monitoring.tests.locked import locked
from liquidation.sell import sell
from loans.api.tests.calls import refused
from loans.events.models import LoanEvent
from loans.events.tests.support import name_topic
from pricing.markets import Market
from pricing.models import Feed, PriceQuote

pytestmark = pytest.mark.django_db


@pytest.fixture
def well(quote, asked_in_turn):
    """Both markets have just published, and a beat runs."""
    for market in Market:
        quote("25", market=market)
    signs_of_life.give([signs_of_life.BEAT], "beat")


def reasons(client):
    return refused(client.get("/health/business"), 503)["reasons"]


def test_all_is_well_and_the_figures_say_so(client, well):
    response = client.get("/health/business/")
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    assert response.json()["figures"] == {
        "priceAge.mos_espa": 0, "priceAge.black_spire_outpost": 0, "oldestUnsettled": None, "outboxLag": None,
        "loanEventsLag": None, "unresolvedOrders": 0, "beatSilence": 0, "brokenInvariants": 0,
    }  # fmt: skip
    refused(client.post("/health/business"), 405)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_known_of_prices_and_beats_that_never_were(client, clean_cache):
    assert reasons(client) == [
        "Age in seconds of the newest price of Mos Espa, Tatooine: not known.",
        "Age in seconds of the newest price of Black Spire Outpost, Batuu: not known.",
        "Seconds since the last sign of a beat: not known.",
    ]


def test_an_old_price_of_one_market_is_a_reason(client, well, settings):
    settings.HEALTH_PRICE_AGE_SECONDS = 40
    assert client.get("/health/business").status_code == 200
    PriceQuote.objects.filter(market=Market.MOS_ESPA).update(sent_at=clock.now() - timedelta(seconds=41))
    (reason,) = reasons(client)
    assert reason == "Age in seconds of the newest price of Mos Espa, Tatooine: 41, and 40 is too much."


def test_a_sale_that_takes_long_and_its_event_are_reasons(client, time_passes, claimed, markets, well, settings):
    settings.HEALTH_LIQUIDATION_SECONDS = settings.HEALTH_OUTBOX_SECONDS = 50
    settings.HEALTH_PRICE_AGE_SECONDS = 1000
    liquidation = claimed("25")
    assert client.get("/health/business").status_code == 200
    time_passes(seconds=50)
    assert reasons(client) == ["Seconds since the oldest claim that is not settled: 50, and 50 is too much."]
    sell(liquidation.pk)
    assert client.get("/health/business").status_code == 200
    time_passes(seconds=51)
    assert reasons(client) == ["Age in seconds of the oldest unsent event: 51, and 50 is too much."]
    LiquidationEvent.objects.update(sent_at=clock.now())
    assert client.get("/health/business").status_code == 200


def test_loan_events_count_while_a_topic_is_named(client, time_passes, well, claimed, settings):
    settings.HEALTH_OUTBOX_SECONDS = 50
    name_topic()
    claimed("25")
    time_passes(seconds=50)
    assert reasons(client) == ["Age in seconds of the oldest unsent loan event: 50, and 50 is too much."]
    LoanEvent.objects.update(sent_at=clock.now())
    assert client.get("/health/business").status_code == 200


def test_an_order_that_waits_for_a_person_is_a_reason_from_the_setting_on(client, claimed, markets, well, settings):
    markets.then('{"nonsense": 1}')
    liquidation = claimed("25")
    sell(liquidation.pk)
    order = liquidation.orders.get()
    type(order).objects.update(status="unresolved")
    assert reasons(client) == ["Orders that wait for a person: 1, and 1 is too much."]
    settings.HEALTH_UNRESOLVED_ORDERS = 2
    assert client.get("/health/business").status_code == 200


def test_a_silent_beat_is_a_reason(client, well, settings):
    settings.HEALTH_BEAT_SECONDS = 0
    assert reasons(client) == ["Seconds since the last sign of a beat: 0, and 0 is too much."]


def test_a_broken_invariant_is_a_reason(client, well):
    Feed.objects.update(received=9, quotes=9)
    invariant_checks.check_due()
    assert reasons(client) == ["Broken invariants: 1, and 1 is too much."]


def test_without_redis_the_beat_is_not_known(client, well, monkeypatch):
    def down():
        raise OSError

    monkeypatch.setattr(signs_of_life, "_redis", down)
    assert reasons(client) == ["Seconds since the last sign of a beat: not known."]


@pytest.mark.django_db(transaction=True)
def test_without_a_database_there_is_one_reason(client, monkeypatch):
    def down():
        raise DatabaseError

    monkeypatch.setattr(business.clock, "now", down)
    assert reasons(client) == ["The database does not answer."]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("bound", ["STATEMENT_SECONDS", "DEADLINE_SECONDS"])
def test_a_database_that_hangs_is_the_one_reason(client, monkeypatch, bound):
    monkeypatch.setattr(business, bound, 0.3)
    with locked("liquidation_tradeorder"):
        assert reasons(client) == ["The database does not answer."]
