"""The one clock of the domain: the database's.

Leases, due times and ages are compared across machines, so no process asks its own clock. The pure rules take
`now` as a parameter; services get it here, inside or outside a transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (instant,) = cursor.fetchone()
    return instant  # type: ignore[no-any-return]


_source: Callable[[], datetime] = _database_now


def now() -> datetime:
    """The present instant by the database's clock, in UTC. Takes one query."""
    return _source()


#: SQL for the same clock, for a statement that runs anyway; pass the value it selects to `read`.
COLUMN = "clock_timestamp()"


def read(column: datetime) -> datetime:
    """The instant that a statement selected as `COLUMN`; where a test drives the clock, the instant of that."""
    return column if _source is _database_now else _source()


@contextmanager
def driven_by(source: Callable[[], datetime]) -> Iterator[None]:
    """Let tests and simulations drive the clock for the length of a block (process-wide)."""
    global _source  # noqa: PLW0603
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
