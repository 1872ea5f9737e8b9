"""How long a statement may take."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """A transaction in which each statement may take so long; then it raises OperationalError.

    Of the transaction, not of the session: a pool may give the session to somebody else.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds * 1000:.0f}ms"])
        yield
