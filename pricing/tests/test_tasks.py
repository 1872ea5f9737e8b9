"""What the Celery tasks of pricing call, enqueue and retry."""

import time

import pytest
from botocore.exceptions import EndpointConnectionError
from django.db import OperationalError

from coruscant import enqueue
from pricing import tasks
from pricing.ingest import poll
from pricing.tests.builders import MOS_ESPA


def test_the_task_polls_its_market(monkeypatch):
    polled = []
    monkeypatch.setattr(poll, "poll", polled.append)
    tasks.poll_prices(market="mos_espa")
    assert polled == [MOS_ESPA]


@pytest.mark.parametrize(("lasts", "times"), [(0.1, 1), (0.0, 0)])
def test_a_poll_that_lasted_to_its_end_enqueues_the_next_and_one_that_found_another_poller_does_not(
    monkeypatch, lasts, times
):
    enqueued = []
    monkeypatch.setattr(poll, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(poll, "poll", lambda _market: time.sleep(lasts))
    monkeypatch.setattr(enqueue, "now", lambda task, **options: enqueued.append((task.task, task.kwargs, options)))
    tasks.poll_prices(market="mos_espa")
    assert enqueued == [("pricing.poll_prices", {"market": "mos_espa"}, {"expires": 3})] * times


def test_a_task_retries_only_failures_to_reach_a_server():
    assert issubclass(EndpointConnectionError, tasks.TRANSIENT)
    assert OperationalError in tasks.TRANSIENT
    assert not issubclass(ValueError, tasks.TRANSIENT)
    assert (tasks.poll_prices.name, tasks.prune_quotes.name) == ("pricing.poll_prices", "pricing.prune_quotes")
