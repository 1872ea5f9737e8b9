"""`/metrics`: what is open, pending and late, as Prometheus scrapes it."""

import re
from datetime import timedelta

import pytest

from coruscant import clock
from coruscant.controls.tests.support import pull_it
from liquidation.evaluate import evaluate_loans
from liquidation.models import ClaimFailure
from liquidation.sell import sell
from loans.events.models import LoanEvent, LoanEventTopic
from loans.events.tests.support import TOPIC, name_topic
from pricing.markets import Market
from pricing.models import Feed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked_in_turn")]


def test_metrics_show_what_is_open_pending_and_late(client, claimed, markets, quote):
    liquidation = claimed("25")
    markets.then(500)
    sell(liquidation.pk)
    ClaimFailure.objects.create(loan=liquidation.loan, price=25, reason="x", failed_at=clock.now())
    text = client.get("/metrics").content.decode()
    assert 'coruscant_liquidations_open{status="selling"} 1.0' in text
    assert 'coruscant_orders_pending{market="mos_espa",status="unknown"} 1.0' in text
    assert "coruscant_claim_failures 1.0" in text
    assert 'coruscant_feed_messages{market="mos_espa",outcome="quote"} 1.0' in text
    assert "coruscant_best_price 25.0" in text


def test_a_feed_that_is_never_silent_is_not_behind(client, quote):
    quote("25", ago=40)
    Feed.objects.update(drained_to=clock.now() - timedelta(minutes=10))
    assert 39 < behind(client) < 60
    Feed.objects.update(drained_to=clock.now())
    assert behind(client) < 30


def behind(client):
    text = client.get("/metrics").content.decode()
    return float(re.search(r'coruscant_feed_drained_seconds\{market="mos_espa"\} (\S+)', text)[1])


def test_without_a_price_there_is_no_price_to_scrape(client, clean_cache):
    samples = [line for line in client.get("/metrics").content.decode().splitlines() if not line.startswith("#")]
    assert not [line for line in samples if line.startswith("coruscant_best_price")]


def test_prices_that_are_apart_are_shown(client, quote):
    for price in ("31", "5000", "5000"):
        quote("31", market=Market.BLACK_SPIRE_OUTPOST)
        quote(price)
    text = client.get("/metrics").content.decode()
    assert "coruscant_best_price 31.0" in text
    assert "coruscant_price_disputed 1.0" in text
    assert 'coruscant_price_suspect{market="mos_espa"} 1.0' in text
    assert 'coruscant_price_suspect{market="black_spire_outpost"} 0.0' in text
    assert "coruscant_price_divergence 160.2" in text


def test_unsent_loan_events_are_counted_while_a_topic_is_named(client, claimed):
    name_topic()
    claimed("25")
    assert "coruscant_loan_events_unsent 1.0" in client.get("/metrics").content.decode()
    LoanEvent.objects.update(sent_at=clock.now())
    assert "coruscant_loan_events_unsent 0.0" in client.get("/metrics").content.decode()
    LoanEvent.objects.update(sent_at=None)
    LoanEventTopic.objects.all().delete()
    text = client.get("/metrics").content.decode()
    assert "coruscant_loan_events_unsent 0.0" in text
    assert "coruscant_loan_events_unsent_seconds 0.0" in text


def test_a_topic_of_loan_events_that_is_not_that_of_the_setting_is_shown(client, db, clean_cache, settings):
    name_topic()
    settings.LOAN_EVENTS_TOPIC = ""
    assert "coruscant_loan_events_topic_differs 1.0" in client.get("/metrics").content.decode()
    settings.LOAN_EVENTS_TOPIC = TOPIC
    assert "coruscant_loan_events_topic_differs 0.0" in client.get("/metrics").content.decode()


def test_controls_that_hold_and_what_a_pause_spares_are_shown(client, loan, quote, enqueued):
    text = client.get("/metrics").content.decode()
    assert "coruscant_controls_in_force{" not in text
    assert "coruscant_claims_withheld 0.0" in text
    loan()
    pull_it()
    pull_it("no_new_orders", market="mos_espa")
    quote("25")
    evaluate_loans()
    text = client.get("/metrics").content.decode()
    assert 'coruscant_controls_in_force{kind="pause_claims",market=""} 1.0' in text
    assert 'coruscant_controls_in_force{kind="no_new_orders",market="mos_espa"} 1.0' in text
    assert "coruscant_claims_withheld 1.0" in text
