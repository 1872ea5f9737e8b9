"""`manage.py wait_until_migrated`: returns when the service may start."""

import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor

from coruscant.deploy import privileges

LOOKS_EVERY_SECONDS = 2


class Command(BaseCommand):
    """Wait, for as long as it takes, for a database that answers, has all migrations of this version and lets it work.

    A database that is ahead, since a later version has migrated it, is ready.
    """

    help = "Wait until the database answers, has all migrations and has granted what the service needs."
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
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations are missing"
        with connection.cursor() as cursor:
            lacking = privileges.missing(cursor)  # the last thing that `migrate` does
    except OperationalError:
        return "the database does not answer"
    except ProgrammingError:  # permission denied: nothing is granted yet
        return "the database role may not read what is migrated"
    finally:
        connection.close()
    return f"the database role lacks {lacking[0]}, and more" if lacking else ""
