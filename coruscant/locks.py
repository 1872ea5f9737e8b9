"""The numbers of all advisory locks. Row locks and their order: docs/decisions/0006.

All are held to the end of a transaction, or at most of a connection, so a process that dies holds none.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections

#: One evaluation of loans works at a time; it tries the lock, and only what begins or ends a hold of claims waits.
EVALUATION = 7_301_001
#: One pruning of old quotes works at a time.
PRUNING = 7_301_002
#: Shared by whoever may activate a loan at the price it reads, until it has committed.
ACTIVATION = 7_301_003
#: One comparison of a statement with the books works at a time, and nobody closes a difference meanwhile.
RECONCILIATION = 7_301_004
#: Shared by whoever opens a loan, until it has committed, or changes the guard; held by whoever makes new terms.
TERMS = 7_301_005
#: One migrate works at a time, in many transactions.
MIGRATION = 7_301_006
#: Held by whoever accepts the database, or doubts it, until that is committed.
IDENTITY = 7_301_007

_ASKS_EVERY_SECONDS = 0.5


def share(lock: int) -> None:
    """Take a lock that others may share, to the end of the transaction; waits for its exclusive holder."""
    _call("pg_advisory_xact_lock_shared", lock)


def try_exclusive(lock: int) -> bool:
    """Take a lock for the rest of the transaction, unless somebody has it; returns whether it is ours."""
    return bool(_call("pg_try_advisory_xact_lock", lock))


def exclusive(lock: int) -> None:
    """Take a lock for the rest of the transaction; waits for whoever has it."""
    _call("pg_advisory_xact_lock", lock)


def wait_for_sharers(lock: int) -> None:
    """Return when everybody who shares the lock now has let go of it. Call it outside any transaction."""
    _call("pg_advisory_xact_lock", lock)


@contextmanager
def session(lock: int, *, using: str) -> Iterator[None]:
    """Hold a lock for the whole block, which may have many transactions; waits for whoever has it, however long.

    It asks again and again: a statement that waits for the lock has a snapshot, and CREATE INDEX CONCURRENTLY under the
    lock would wait for that.
    """
    while not _call("pg_try_advisory_lock", lock, using):
        time.sleep(_ASKS_EVERY_SECONDS)
    try:
        yield
    finally:
        _call("pg_advisory_unlock", lock, using)


def _call(function: str, lock: int, using: str = DEFAULT_DB_ALIAS) -> object:
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [lock])
        return cursor.fetchone()[0]
