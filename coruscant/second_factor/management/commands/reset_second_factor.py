"""`manage.py reset_second_factor NAME --by OFFICER --why "…"`: for a lost device, where no administrator can log in."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from coruscant.errors import DomainError
from coruscant.second_factor import factors


class Command(BaseCommand):
    """Forget a person's second factor, in the name of somebody else, whom the person's history names."""

    help = "Forget the second factor of somebody who has lost the device."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, in whose name, and why."""
        parser.add_argument("name", help="who has lost it")
        parser.add_argument("--by", required=True, help="whose decision it is: the name of another account")
        parser.add_argument("--why", required=True, help="for the person's history")

    def handle(self, *args: Any, name: str, by: str, why: str, **options: Any) -> None:
        """Reset it."""
        try:
            factors.reset(_account(name), by=_account(by), why=why)
        except DomainError as error:
            raise CommandError(str(error)) from None
        self.stderr.write(f"{name} has no second factor any more.")


def _account(name: str) -> User:
    found = User.objects.filter(username=name).first()
    if found is None:
        raise CommandError(f"There is no account {name}.")
    return found
