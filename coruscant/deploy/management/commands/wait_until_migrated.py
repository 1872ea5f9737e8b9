"""`manage.py wait_until_migrated`: returns when the service may start."""

import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

LOOKS_EVERY_SECONDS = 2


class Command(BaseCommand):
    """Wait, for as long as it takes, for a database that answers and has all migrations of this version.

    A database that is ahead, since a later version has migrated it, is ready.
    """

    help = "Wait until the database answers and has all migrations."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        said = ""
        while reason := _not_ready():
            if reason != said:
                self.stdout.write(f"Waiting: {reason}.")
                said = reason
            time.sleep(LOOKS_EVERY_SECONDS)


def _not_ready() -> str:
    """Why the service may not start yet; empty if it may."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except OperationalError:
        return "the database does not answer"
    finally:
        connection.close()
    return "migrations are missing" if missing else ""
