"""What Celery's workers do around every task."""

import socket
from importlib import import_module

import pytest
from celery.backends.base import DisabledBackend
from celery.fixups.django import DjangoWorkerFixup  # type: ignore[attr-defined]  # the stubs do not know it
from celery.signals import task_postrun, task_prerun
from django.contrib.sessions.backends import db
from django.db import OperationalError, connection
from kombu import Consumer, Exchange, Producer, Queue
from kombu.exceptions import ContentDisallowed

from coruscant.celery import app


def pid():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.fixture
def task(transactional_db):
    """Do what a worker does before and after a task."""
    fixup = DjangoWorkerFixup(app)

    def run(work):
        task_prerun.send(sender=app)
        fixup.close_database()
        try:
            return work()
        finally:
            fixup.close_database()
            task_postrun.send(sender=app)

    return run


def test_tasks_share_a_connection(task):
    assert task(pid) == task(pid)


def test_a_task_after_a_lost_connection_gets_a_new_one(task):
    before = task(pid)
    with pytest.raises(OperationalError):
        task(lambda: connection.cursor().execute("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert task(pid) != before


def test_a_task_notices_a_connection_that_was_lost_between_tasks(task, settings):
    before = task(pid)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [before])  # and waits until it has ended
    other.close()
    assert task(pid) != before


def test_a_connection_is_not_kept_for_ever(task):
    before = task(pid)
    connection.close_at = 0
    assert task(pid) != before


class Bomb:
    """Its pickle, once it is read, makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_that_is_planted_in_a_queue_is_refused_unread(tmp_path):
    """As a worker reads it: with what the application accepts."""
    queue = Queue("replay", Exchange(""), routing_key="replay")
    refused = []
    with app.connection_for_write() as broker:
        channel = broker.channel()
        channel.queue_purge(queue.name)
        Producer(channel).publish(
            Bomb(tmp_path / "ran"), serializer="pickle", routing_key=queue.name, declare=[queue.bind(channel)]
        )
        with Consumer(
            channel,
            [queue],
            accept=app.conf.accept_content,
            callbacks=[lambda body, message: pytest.fail(f"read {body}")],
            on_decode_error=lambda message, error: refused.append(error) or message.reject(),
        ):
            broker.drain_events(timeout=5)
            with pytest.raises(socket.timeout):
                broker.drain_events(timeout=0.1)
    assert [type(error) for error in refused] == [ContentDisallowed]
    assert list(tmp_path.iterdir()) == []


def test_only_json_is_read_from_the_broker_and_no_result_is_kept():
    assert app.conf.accept_content == app.conf.result_accept_content == ["json"]
    assert {app.conf.task_serializer, app.conf.result_serializer, app.conf.event_serializer} == {"json"}
    assert isinstance(app.backend, DisabledBackend)


def test_sessions_are_in_the_database_and_are_json(settings):
    assert issubclass(import_module(settings.SESSION_ENGINE).SessionStore, db.SessionStore)
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
