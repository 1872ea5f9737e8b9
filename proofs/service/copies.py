"""Fresh copies of a migrated database."""

from typing import Any

import psycopg
from psycopg import sql

from local.stack import EmbeddedStack
from local.stack.postgres import OWNER


def fresh_copy(stack: EmbeddedStack, *, database: str, template: str) -> None:
    """Make `database` a copy of `template`; connections to either are ended."""
    with _superuser(stack) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (%s, %s)", (database, template)
        )
        drop(stack, database)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY OWNER {}").format(
                sql.Identifier(database), sql.Identifier(template), sql.Identifier(OWNER)
            )
        )


def copy_in_use(stack: EmbeddedStack, *, database: str, template: str) -> None:
    """The same, of a database that is in use: its clients are kept out meanwhile, and come back."""
    with _superuser(stack) as connection:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(allow.format(sql.Identifier(template), sql.SQL("false")))
        try:
            fresh_copy(stack, database=database, template=template)
        finally:
            connection.execute(allow.format(sql.Identifier(template), sql.SQL("true")))


def backup_of(database: str) -> str:
    """The name of a copy that takes its place later."""
    return f"{database}_backup"


def drop(stack: EmbeddedStack, database: str) -> None:
    """Remove a database, whoever is connected to it."""
    with _superuser(stack) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def _superuser(stack: EmbeddedStack) -> "psycopg.Connection[Any]":
    """A superuser connection outside Django, to the maintenance database."""
    address, _, _name = stack.superuser_database_url.rpartition("/")
    return psycopg.connect(f"{address}/postgres", autocommit=True)
