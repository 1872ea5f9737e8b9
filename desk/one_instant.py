"""Reading several things as of one instant."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def one_instant() -> Iterator[None]:
    """A block whose queries all see the books as of one instant, and which writes nothing.

    In a transaction that is open already, they see what that sees.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # To start parallel workers takes longer than what a page reads.
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        yield
