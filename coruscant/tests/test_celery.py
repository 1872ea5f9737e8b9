"""What Celery's workers do around every task."""

import pytest
from celery.fixups.django import DjangoWorkerFixup  # type: ignore[attr-defined]  # the stubs do not know it
from celery.signals import task_postrun, task_prerun
from django.db import OperationalError, connection

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
