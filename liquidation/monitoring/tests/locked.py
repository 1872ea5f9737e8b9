"""A database that does not answer: a table that somebody else has locked."""

from contextlib import closing, contextmanager

from django.db import connections


@contextmanager
def locked(table):
    """Let every query of a table wait."""
    with closing(connections.create_connection("default")) as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
