"""`manage.py migrate`: Django's, one at a time."""

from typing import Any

from django.core.management.commands import migrate

from coruscant import locks


class Command(migrate.Command):
    """A second migrate waits for the first, and then finds nothing to do; Django's would fail on half made tables.

    The lock belongs to the connection, so it needs one to PostgreSQL itself: not through a pool of transactions.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        with locks.session(locks.MIGRATION, using=options["database"]):
            super().handle(*args, **options)
