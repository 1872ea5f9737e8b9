"""A database for each process of a simulation: cloned once, emptied between schedules."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql

from local.stack.postgres import OWNER, ROLE
from proofs.simulation.messaging import LOAN_EVENTS_TOPIC
from proofs.simulation.world import BEGINNING

#: A schedule leaves a few hundred dead rows; so often the tables are truncated, which costs as much as many deletes.
_TRUNCATE_EVERY = 200
_OURS = "^(approvals|controls|loans|pricing|liquidation|restores)_"
#: Accounts of people: representatives who have been with the bank for long, and one whose account is too young.
PEOPLE = ("Leia", "Han", "Chewbacca")
NEWCOMER = "Lando"
_ACCOUNT = """
    INSERT INTO auth_user (username, date_joined, is_superuser, is_staff, is_active, password, first_name, last_name,
        email)
    VALUES (%s, %s, true, true, true, '', '', '', '') ON CONFLICT (username) DO NOTHING
"""
#: `migrate` makes them of the settings.
_FIRST_TERMS = "INSERT INTO loans_loanterms SELECT * FROM first_terms"


#: Loan events are written from the first transition on; what a schedule begins with happened just before.
_NAME_TOPIC = (
    f"INSERT INTO loans_loaneventtopic (id, topic, since)"
    f" VALUES (1, '{LOAN_EVENTS_TOPIC}', '{BEGINNING + timedelta(microseconds=1)}')"
)


class SimulationDatabase:
    """A clone of a migrated database, seen as superuser: the history tables refuse everybody else."""

    def __init__(self, url: str) -> None:
        """`url` is the superuser's, of the clone."""
        self.monitor: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True)
        rows = self.monitor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ %s ORDER BY tablename", [_OURS]
        )
        self._tables = [name for (name,) in rows.fetchall()]
        restart = [f"setval('{name}', 1, false)" for name in self._sequences()]
        deletes = [f"DELETE FROM {name}" for name in self._tables]
        self._delete = "; ".join(deletes)
        self._empty = f"{self._delete}; {_FIRST_TERMS}; SELECT {', '.join(restart)}"
        self._used = 0
        #: The backup: the rows of each table that has any, and where each sequence stood.
        self._rows: dict[str, bytes] = {}
        self._stood: dict[str, int | None] = {}
        # Analysed tables would be read by other plans, and rows come in another order.
        for name in self._tables:
            self.monitor.execute(f"ALTER TABLE {name} SET (autovacuum_enabled = false)")
        self.monitor.execute("SET session_replication_role = replica")
        for name in PEOPLE:
            self.monitor.execute(_ACCOUNT, [name, BEGINNING - timedelta(days=30)])
        self.monitor.execute(_ACCOUNT, [NEWCOMER, BEGINNING])
        self.monitor.execute("CREATE TEMPORARY TABLE first_terms AS SELECT * FROM loans_loanterms WHERE version = 1")

    def empty(self) -> None:
        """Remove every row, history too, and begin every sequence again."""
        if self._used % _TRUNCATE_EVERY == 0:
            self.monitor.execute(f"TRUNCATE {', '.join(self._tables)}")
        self.monitor.execute(self._empty)
        self.monitor.execute(_NAME_TOPIC)
        self._used += 1

    def keep(self) -> None:
        """Make a backup of every row that is committed, and of the sequences."""
        self._rows.clear()
        with self.monitor.cursor() as cursor:
            for name in self._tables:
                with cursor.copy(f"COPY {name} TO STDOUT") as copy:
                    if rows := b"".join(copy):
                        self._rows[name] = rows
        self._stood = self._sequences()

    def go_back(self, *, sequences: bool) -> None:
        """Put the backup in the place of all rows; a restored dump has its sequences as well.

        Nobody else may be in a transaction.
        """
        with self.monitor.transaction(), self.monitor.cursor() as cursor:
            cursor.execute(self._delete)
            for name, rows in self._rows.items():
                with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                    copy.write(rows)
            if sequences:
                stood = (f"setval('{name}', {last or 1}, {last is not None})" for name, last in self._stood.items())
                cursor.execute(f"SELECT {', '.join(stood)}")

    def _sequences(self) -> dict[str, int | None]:
        """The last number of each sequence; None if it has given none."""
        found = self.monitor.execute(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND sequencename ~ %s"
            " ORDER BY sequencename",
            [_OURS],
        )
        return dict(found.fetchall())

    def close(self) -> None:
        """Let go of it."""
        self.monitor.close()


@contextmanager
def clone(superuser_url: str, template: str, name: str) -> Iterator[SimulationDatabase]:
    """A clone of `template`, which Django's default connection uses here until the end, under the service's role."""
    address, _, _database = superuser_url.rpartition("/")
    settings = connections["default"].settings_dict
    before = {key: settings[key] for key in ("NAME", "USER", "PASSWORD", "OPTIONS")}
    connections.close_all()
    with psycopg.connect(f"{address}/postgres", autocommit=True) as maintenance:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        maintenance.execute(drop)
        maintenance.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY OWNER {}").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(OWNER)
            )
        )
        database = SimulationDatabase(f"{address}/{name}")
        settings.update(NAME=name, USER=ROLE, PASSWORD=ROLE)
        # An actor may wait for a lock, or hold one, as long as the schedule has it so, however slow the machine is.
        settings["OPTIONS"] = {**settings["OPTIONS"], "options": "-c timezone=UTC"}
        try:
            yield database
        finally:
            connections.close_all()
            settings.update(before)
            database.close()
            maintenance.execute(drop)
