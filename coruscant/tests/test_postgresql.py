"""Whether a kept connection is still there, without asking."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other():
    """A second connection, to look at the first."""
    other = connection.copy()
    yield other
    other.close()


def answer(of, sql, *parameters):
    with of.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]


def pid():
    return answer(connection, "SELECT pg_backend_pid()")


def end(other, backend):
    assert answer(other, "SELECT pg_terminate_backend(%s, 10000)", backend)


def test_a_connection_that_idles_is_usable_and_is_not_asked(other):
    last_change = "SELECT state_change FROM pg_stat_activity WHERE pid = %s"
    backend = pid()
    before = answer(other, last_change, backend)
    assert connection.is_usable()
    assert answer(other, last_change, backend) == before


def test_a_connection_that_the_server_has_ended_is_not_usable(other):
    end(other, pid())
    assert not connection.is_usable()


def test_a_connection_whose_statement_still_runs_is_not_usable():
    connection.ensure_connection()
    connection.connection.pgconn.send_query(b"SELECT pg_sleep(0.5)")  # as after a time limit, which reads no answer
    assert not connection.is_usable()


def test_a_connection_that_was_never_made_or_is_closed_is_not_usable():
    connection.close()
    assert not connection.is_usable()
    connection.ensure_connection()
    connection.connection.close()
    assert not connection.is_usable()


def test_what_the_server_tells_an_idle_connection_is_no_reason_to_leave_it(other):
    backend = pid()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN news")
    with other.cursor() as cursor:
        cursor.execute("NOTIFY news")
    assert connection.is_usable()
    assert pid() == backend


def test_the_next_request_or_task_gets_a_connection_that_works(other):
    before = pid()
    end(other, before)
    connection.health_check_done = False  # as Django does after each request
    assert pid() != before
