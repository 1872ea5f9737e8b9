"""What waits in Celery's queues, asked of a real broker."""

import time

import pytest
from kombu.exceptions import OperationalError

from coruscant.celery import app
from coruscant.monitoring import celery_queues


def test_tasks_that_wait_are_counted_by_queue():
    with app.connection_for_write() as broker:
        for name in ("events", "risk"):
            broker.default_channel.queue_purge(name)
        before = celery_queues.waiting()
        for _ in range(3):
            app.send_task("a task that nobody knows", queue="events", connection=broker)
        after = celery_queues.waiting()
        broker.default_channel.queue_purge("events")
    assert set(after) == {"prices", "risk", "liquidations", "events", "maintenance", "replay"}
    assert (before["events"].depth, after["events"].depth, after["risk"].depth) == (0, 3, 0)


def test_the_age_of_a_queue_is_that_of_its_oldest_task():
    with app.connection_for_write() as broker:
        broker.default_channel.queue_purge("events")
        app.send_task("a task that nobody knows", queue="events", connection=broker)
        time.sleep(0.5)
        app.send_task("a task that nobody knows", queue="events", connection=broker)
        waiting = celery_queues.waiting()
        assert 0.5 <= waiting["events"].oldest_seconds < 5
        broker.default_channel.queue_purge("events")
        assert celery_queues.waiting()["events"] == (0, 0.0)


@pytest.mark.parametrize(
    "message",
    [
        b"\xff",
        b"[]",
        b'{"headers": {}}',
        b'{"headers": {"sent_at": []}}',
        b"[" * 9999,
        b'{"headers": {"sent_at": 1' + b"0" * 400 + b"}}",
    ],
)
def test_a_message_that_does_not_say_when_it_was_sent_has_no_age(message):
    with app.connection_for_write() as broker:
        redis = broker.default_channel.client
        broker.default_channel.queue_purge("events")
        redis.lpush("events", message)
        assert celery_queues.waiting()["events"] == (1, None)
        redis.delete("events")


def test_a_broker_that_is_down_is_not_waited_for(monkeypatch):
    connect = app.connection_for_read
    monkeypatch.setattr(app, "connection_for_read", lambda **options: connect("redis://127.0.0.1:1/0", **options))
    with pytest.raises(OperationalError):
        celery_queues.waiting()
