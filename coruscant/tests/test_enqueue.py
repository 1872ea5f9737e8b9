"""What waits in a queue, as whoever enqueues asks for it; of a real broker."""

import pytest

from coruscant import enqueue
from coruscant.celery import app


def test_tasks_that_wait_in_a_queue_are_counted():
    with app.connection_for_write() as broker:
        broker.default_channel.queue_purge("liquidations")
        assert enqueue.waiting("liquidations") == 0
        for _ in range(2):
            app.send_task("a task that nobody knows", queue="liquidations", connection=broker)
        assert enqueue.waiting("liquidations") == 2
        broker.default_channel.queue_purge("liquidations")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://nobody.invalid:6379/0"])
def test_where_the_broker_does_not_say_nothing_waits(monkeypatch, url):
    connect = app.connection_for_read
    monkeypatch.setattr(app, "connection_for_read", lambda **options: connect(url, **options))
    assert enqueue.waiting("liquidations") == 0
