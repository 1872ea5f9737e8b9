"""`manage.py after_restore --since INSTANT`: accepts a restored database, and holds what it may have forgotten."""

import getpass
from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from coruscant.admin.figures import instant
from coruscant.errors import DomainError
from coruscant.restores import holds
from liquidation import restored


def instant_argument(text: str) -> datetime:
    """An RFC 3339 instant with its offset. Raises ArgumentTypeError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    if found.tzinfo is None:
        raise ArgumentTypeError("an instant needs its offset from UTC, such as Z")
    return found


class Command(BaseCommand):
    """Accept the database as the bank's books, and hold every sale, event and claim that it may concern."""

    help = "Accept a restored database as the bank's books, and hold what it may have forgotten."

    def add_arguments(self, parser: CommandParser) -> None:
        """What was lost at most, by whom it is said, and why."""
        parser.add_argument(
            "--since", type=instant_argument, required=True, metavar="INSTANT",
            help="the books may lack what was committed after it: the restore's target, or earlier (RFC 3339)",
        )  # fmt: skip
        parser.add_argument("--user", default=getpass.getuser(), help="who says so (default: %(default)s)")
        parser.add_argument("--reason", default="", help="what happened, for whoever reads it later")
        parser.add_argument(
            "--insist", action="store_true", help="the database looks like the accepted one, and was restored anyway"
        )

    def handle(self, *args: Any, since: datetime, user: str, reason: str, insist: bool, **options: Any) -> None:
        """Print what is held. Safe to repeat. Raises CommandError."""
        try:
            restore = restored.begin(since=since, by=user, reason=reason, insist=insist)
        except DomainError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Accepted. {restore.held_sales.count()} sales and events are held, and so are all claims.")
        first, last = map(instant, holds.statements_cover(restore))
        self.stdout.write(
            f"Now have the OTC service repeat its requests since {instant(restore.since)}, and compare statements of"
            f" all markets: manage.py reconcile. They must reach from {first} until {last}."
        )
