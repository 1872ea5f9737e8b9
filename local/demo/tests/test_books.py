"""How the demo reads the books."""

import psycopg
import pytest
from django.db import connection

from local.demo.books import Books


@pytest.fixture
def books(db):
    chosen = connection.settings_dict
    url = psycopg.conninfo.make_conninfo(
        host=chosen["HOST"],
        port=chosen["PORT"],
        user=chosen["USER"],
        password=chosen["PASSWORD"],
        dbname=chosen["NAME"],
    )
    opened = Books(url)
    yield opened
    opened.close()


def test_a_connection_that_was_lost_since_the_last_look_is_opened_anew(books):
    books.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'demo view'"
        )
        assert cursor.fetchone() == (1,)
    assert books.now()


def test_a_database_that_cannot_be_reached_is_an_error():
    with pytest.raises(psycopg.OperationalError):
        Books("host=127.0.0.1 port=1 dbname=nothing").now()
