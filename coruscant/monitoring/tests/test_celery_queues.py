"""The depth of Celery's queues, asked of a real broker."""

import pytest
from kombu.exceptions import OperationalError

from coruscant.celery import app
from coruscant.monitoring import celery_queues


def test_tasks_that_wait_are_counted_by_queue():
    with app.connection_for_write() as broker:
        for name in ("events", "risk"):
            broker.default_channel.queue_purge(name)
        before = celery_queues.depths()
        for _ in range(3):
            app.send_task("a task that nobody knows", queue="events", connection=broker)
        after = celery_queues.depths()
        broker.default_channel.queue_purge("events")
    assert set(after) == {"prices", "risk", "liquidations", "events", "maintenance", "replay"}
    assert (before["events"], after["events"], after["risk"]) == (0, 3, 0)


def test_a_broker_that_is_down_is_not_waited_for(monkeypatch):
    connect = app.connection_for_read
    monkeypatch.setattr(app, "connection_for_read", lambda **options: connect("redis://127.0.0.1:1/0", **options))
    with pytest.raises(OperationalError):
        celery_queues.depths()
