"""A database for each process of a simulation: cloned once, emptied between schedules."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql

from proofs.simulation.world import BEGINNING

#: A schedule leaves a few hundred dead rows; so often the tables are truncated, which costs as much as many deletes.
_TRUNCATE_EVERY = 200
_OURS = "^(approvals|controls|loans|pricing|liquidation|restores)_"
#: Accounts of representatives who have been with the bank for long.
PEOPLE = ("Leia", "Han")
_ACCOUNT = """
    INSERT INTO auth_user (username, date_joined, is_superuser, is_staff, is_active, password, first_name, last_name,
        email)
    VALUES (%s, %s, true, true, true, '', '', '', '') ON CONFLICT (username) DO NOTHING
"""


class SimulationDatabase:
    """A clone of a migrated database, seen as superuser: the history tables refuse everybody else."""

    def __init__(self, url: str) -> None:
        """`url` is the superuser's, of the clone."""
        self.monitor: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True)
        rows = self.monitor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ %s ORDER BY tablename", [_OURS]
        )
        self._tables = [name for (name,) in rows.fetchall()]
        sequences = self.monitor.execute(
            "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND sequencename ~ %s"
            " ORDER BY sequencename",
            [_OURS],
        )
        restart = [f"setval('{name}', 1, false)" for (name,) in sequences.fetchall()]
        deletes = [f"DELETE FROM {name}" for name in self._tables]
        self._empty = "; ".join([*deletes, f"SELECT {', '.join(restart)}"])
        self._used = 0
        # Analysed tables would be read by other plans, and rows come in another order.
        for name in self._tables:
            self.monitor.execute(f"ALTER TABLE {name} SET (autovacuum_enabled = false)")
        self.monitor.execute("SET session_replication_role = replica")
        for name in PEOPLE:
            self.monitor.execute(_ACCOUNT, [name, BEGINNING - timedelta(days=30)])

    def empty(self) -> None:
        """Remove every row, history too, and begin every sequence again."""
        self.monitor.execute(self._empty)
        if self._used % _TRUNCATE_EVERY == 0:
            self.monitor.execute(f"TRUNCATE {', '.join(self._tables)}")
        self._used += 1

    def close(self) -> None:
        """Let go of it."""
        self.monitor.close()


@contextmanager
def clone(superuser_url: str, template: str, name: str) -> Iterator[SimulationDatabase]:
    """A clone of `template` called `name`, which Django's default connection uses in this process until the end."""
    address, _, _database = superuser_url.rpartition("/")
    settings = connections["default"].settings_dict
    before = {key: settings[key] for key in ("NAME", "OPTIONS")}
    connections.close_all()
    with psycopg.connect(f"{address}/postgres", autocommit=True) as maintenance:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        maintenance.execute(drop)
        maintenance.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY OWNER coruscant").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        database = SimulationDatabase(f"{address}/{name}")
        settings["NAME"] = name
        # An actor may wait for a lock, or hold one, as long as the schedule has it so, however slow the machine is.
        settings["OPTIONS"] = {**settings["OPTIONS"], "options": "-c timezone=UTC"}
        try:
            yield database
        finally:
            connections.close_all()
            settings.update(before)
            database.close()
            maintenance.execute(drop)
