"""`/metrics` as a whole: every store is asked, and one that is down takes nothing else with it."""

import re
import time
from pathlib import Path

import pytest
import structlog
from django.db import OperationalError

from coruscant.monitoring import signs_of_life
from liquidation.monitoring import metrics
from liquidation.monitoring.tests.locked import locked
from liquidation.sell import sell
from loans.api.tests.calls import refused
from pricing.ingest.provision import provision

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
NAME = r"coruscant_\w+"

pytestmark = pytest.mark.django_db


def scrape(client):
    response = client.get("/metrics")
    assert response.status_code == 200
    return response.content.decode()


def answered(text):
    return dict(re.findall(r'coruscant_scrape_answered\{store="(\w+)"\} (\S+)', text))


@pytest.mark.django_db(transaction=True)  # the threads write what is known of the database
def test_every_store_answers_and_every_process_is_named(client, clean_cache):
    signs_of_life.give(["risk", "maintenance"], "risk@here")
    text = scrape(client)
    assert set(answered(text)) == {"database", "cache", "broker", "sqs"}
    assert answered(text)["database"] == answered(text)["cache"] == answered(text)["broker"] == "1.0"
    assert 'coruscant_processes_alive{kind="risk"} 1.0' in text
    assert 'coruscant_processes_alive{kind="beat"} 0.0' in text
    assert 'coruscant_celery_queue_depth{queue="liquidations"}' in text
    refused(client.post("/metrics"), 405)


@pytest.mark.django_db(transaction=True)  # the threads write what is known of the database
def test_a_store_that_hangs_is_given_up_and_the_others_are_shown(client, monkeypatch):
    def fail():
        raise OSError("down")

    asked = {"cache": fail, "broker": metrics._tasks, "sqs": lambda: time.sleep(3)}
    monkeypatch.setattr(metrics, "_OUTSIDE", asked)
    monkeypatch.setattr(metrics, "DEADLINE_SECONDS", 1.0)
    text = scrape(client)
    assert answered(text) == {"database": "1.0", "cache": "0.0", "broker": "1.0", "sqs": "0.0"}
    assert "coruscant_celery_queue_depth" in text
    assert "coruscant_processes_alive" not in text


@pytest.mark.django_db(transaction=True)  # the threads write what is known of the database
def test_without_a_database_the_rest_is_shown(client, monkeypatch):
    def fail():
        raise OperationalError("down")

    monkeypatch.setattr(metrics.books, "parts", fail)
    text = scrape(client)
    assert answered(text)["database"] == "0.0"
    assert "coruscant_processes_alive" in text


@pytest.mark.django_db(transaction=True)  # the threads write what is known of the database
def test_a_statement_that_takes_too_long_costs_the_rest_of_its_part_only(client, clean_cache, monkeypatch):
    monkeypatch.setattr(metrics, "STATEMENT_SECONDS", 0.3)
    with structlog.testing.capture_logs() as logged, locked("liquidation_tradeorder"):
        text = scrape(client)
    assert answered(text) == {"database": "0.0", "cache": "1.0", "broker": "1.0", "sqs": "0.0"}
    incomplete = [line["part"] for line in logged if line["event"] == "metrics_incomplete"]
    assert incomplete[:2] == ["sales", "recent"]
    assert "coruscant_orders_pending" not in text
    assert "coruscant_liquidations_overdue_seconds 0.0" in text
    assert "coruscant_events_unsent 0.0" in text
    assert "coruscant_recent_claims 0.0" in text


@pytest.mark.django_db(transaction=True)  # the threads write what is known of the database
def test_a_database_that_hangs_is_given_up_with_what_it_has_said(client, clean_cache, monkeypatch):
    monkeypatch.setattr(metrics, "DEADLINE_SECONDS", 0.5)
    monkeypatch.setattr(metrics, "STATEMENT_SECONDS", 2.0)
    with locked("liquidation_liquidationevent"):
        begun = time.monotonic()
        text = scrape(client)
        assert time.monotonic() - begun < 1.5
    assert answered(text)["database"] == "0.0"
    assert "coruscant_claim_failures 0.0" in text
    assert "coruscant_price_age_seconds" not in text


def test_every_metric_that_alerts_and_dashboard_name_is_scraped(client, claimed, markets, emulator, asked_in_turn):
    list(provision())
    sell(claimed("25").pk)
    client.get("/loans")
    text = scrape(client)
    assert {'coruscant_scrape_answered{store="sqs"} 1.0', "coruscant_best_price 25.0"} <= set(text.splitlines())
    scraped = set(re.findall(r"^# TYPE (coruscant_\w+)", text, re.MULTILINE)) | set(re.findall(NAME, text))
    for file in ("prometheus/alerts.yml", "grafana/dashboard.json"):
        named = set(re.findall(NAME, (DEPLOY / file).read_text()))
        assert len(named) > 30
        assert named - scraped == set()


def test_a_scrape_takes_few_statements(client, django_assert_max_num_queries, clean_cache, asked_in_turn):
    scrape(client)
    with django_assert_max_num_queries(50):
        scrape(client)
