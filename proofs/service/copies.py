"""Fresh copies of a migrated database."""

from typing import Any

import psycopg
from psycopg import sql

from local.stack import EmbeddedStack


def fresh_copy(stack: EmbeddedStack, *, database: str, template: str) -> None:
    """Make `database` a copy of `template`; connections to either are ended."""
    with _superuser(stack) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (%s, %s)", (database, template)
        )
        drop(stack, database)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY OWNER coruscant").format(
                sql.Identifier(database), sql.Identifier(template)
            )
        )


def drop(stack: EmbeddedStack, database: str) -> None:
    """Remove a database, whoever is connected to it."""
    with _superuser(stack) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def _superuser(stack: EmbeddedStack) -> "psycopg.Connection[Any]":
    """A superuser connection outside Django, to the maintenance database."""
    address, _, _name = stack.superuser_database_url.rpartition("/")
    return psycopg.connect(f"{address}/postgres", autocommit=True)
