"""Whether this connection leads to the database that was accepted as the bank's books.

A restore, or a standby that was promoted, may lack commits: orders that were sent, claims, postings. So each new
connection is asked who it is. If it is not the accepted database, whoever asks must hold back what cannot be undone.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

import structlog
from django.conf import settings
from django.db import connection, transaction

from coruscant import clock, locks
from coruscant.errors import DomainError
from coruscant.restores.models import DatabaseIdentity

log = structlog.get_logger(__name__)

SYNCHRONOUS: Final = "synchronous"
#: What an installation that has lost nothing calls whoever accepted its first database.
FIRST_USE: Final = "first use"

#: Each says what the books have lost, by something remembered outside the database; empty if it knows of nothing.
#: They are asked outside any transaction. The apps add theirs.
witnesses: list[Callable[[], str]] = []

# A standby has no timeline of its own, and nothing is decided on one.
_LOOK = """
    SELECT (pg_control_system()).system_identifier,
           CASE WHEN pg_is_in_recovery() THEN 0
                ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END,
           (SELECT oid::bigint FROM pg_database WHERE datname = current_database())
"""


class _Seen(threading.local):
    """What this thread's connection has been found to be; each is kept with the connection that was asked."""

    found: tuple[object, "Identity"] | None = None
    accepted: object = None
    #: The same, by whoever could not ask the witnesses.
    accepted_in_transaction: object = None


_seen = _Seen()


class DatabaseReplaced(DomainError):
    """This is not the database that was accepted as the bank's books, or it has lost commits."""

    code = "database-replaced"
    title = "The database was replaced"
    status: ClassVar[int] = 503


@dataclass(frozen=True, slots=True)
class Identity:
    """Which database it is: the cluster, its timeline (0: a standby), and the database's oid."""

    system_identifier: int
    timeline: int
    database: int

    def __str__(self) -> str:
        return f"cluster {self.system_identifier}, timeline {self.timeline}, database {self.database}"


def present() -> Identity:
    """The database that this connection leads to. Any role may ask."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK)
        found = Identity(*cursor.fetchone())
    _seen.found = connection.connection, found
    return found


def known() -> Identity:
    """The same, without a query if this connection has been asked before."""
    if _seen.found is None or _seen.found[0] is not connection.connection:
        return present()
    return _seen.found[1]


def accepted() -> bool:
    """Whether this connection leads to the accepted database; False is logged as an error each time.

    A yes ends only with the connection, so it is remembered until then; a no is never remembered. Outside a
    transaction the witnesses are asked as well, and with DATABASE_FAILOVER `synchronous` a new timeline of the same
    cluster is accepted if none of them objects. Ask first outside a transaction, and again within.
    """
    link, in_transaction = connection.connection, connection.in_atomic_block
    if link is not None and (link is _seen.accepted or (in_transaction and link is _seen.accepted_in_transaction)):
        return True
    why = _objection(in_transaction=in_transaction)
    if why:
        log.error("database_replaced", why=why)
        return False
    if in_transaction:
        _seen.accepted_in_transaction = connection.connection
    else:
        _seen.accepted = connection.connection
    return True


def require() -> None:
    """Raises DatabaseReplaced unless this is the accepted database."""
    if why := objection():
        raise DatabaseReplaced(why)


def forget() -> None:
    """Let every thread ask anew at its next call, although its connection is the same."""
    global _seen  # noqa: PLW0603
    _seen = _Seen()


def objection() -> str:
    """Why the database is not the accepted one, in one sentence; empty if it is. Nothing is remembered or logged."""
    return _objection(in_transaction=True)


def accept(by: str) -> Identity:
    """Accept the database that this connection leads to, whatever the last accepted one was.

    What the witnesses remember of before says nothing against it. Call it in a transaction. Locks: the identity, so
    that nobody doubts these books by what a witness has said of those before.
    """
    locks.exclusive(locks.IDENTITY)
    found = present()
    _record(found, by)
    return found


def last_accepted() -> DatabaseIdentity | None:
    """The newest acceptance; None in a database that was never used."""
    return DatabaseIdentity.objects.first()


def _objection(*, in_transaction: bool) -> str:
    found, last = present(), last_accepted()
    if last is None:
        _record(found, FIRST_USE)
        return ""
    if last.doubt:
        return f"The books were found to be behind: {last.doubt}"
    was = Identity(last.system_identifier, last.timeline, last.database)
    promoted = was != found and _is_promotion(was, found)
    if was != found and not (promoted and not in_transaction):
        return f"This is {found}; accepted was {was}."
    lost = "" if in_transaction else next(filter(None, (witness() for witness in witnesses)), "")
    if lost:
        doubted = _doubt(last, was, lost)
        return f"The books were found to be behind: {lost}" if doubted else _objection(in_transaction=False)
    if promoted:
        _record(found, f"DATABASE_FAILOVER={SYNCHRONOUS}")
        log.warning("database_failover_accepted", was=str(was), now=str(found))
    return ""


def _doubt(last: DatabaseIdentity, was: Identity, lost: str) -> bool:
    """Say that the books are behind; no if they have been accepted since: then the witnesses are to be asked again."""
    with transaction.atomic():
        locks.exclusive(locks.IDENTITY)
        if last_accepted() != last:
            return False
        _record(was, last.accepted_by, doubt=lost)
    return True


def _is_promotion(was: Identity, found: Identity) -> bool:
    """Whether it may be a standby that was promoted, and the installation promises that those lose nothing."""
    return (
        settings.DATABASE_FAILOVER == SYNCHRONOUS
        and (was.system_identifier, was.database) == (found.system_identifier, found.database)
        and was.timeline < found.timeline
    )


def _record(found: Identity, by: str, *, doubt: str = "") -> None:
    DatabaseIdentity.objects.create(
        system_identifier=found.system_identifier,
        timeline=found.timeline,
        database=found.database,
        accepted_at=clock.now(),
        accepted_by=by,
        doubt=doubt,
    )
