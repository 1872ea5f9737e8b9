"""`manage.py pull_control KIND --minutes N --user NAME --why TEXT`: pulls what one person may pull alone."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from coruscant.controls.models import ControlKind
from coruscant.controls.pull import pull
from coruscant.controls.two_people import MAY_PULL
from coruscant.errors import DomainError


class Command(BaseCommand):
    """Pull a control for an hour at most, in the name of an account that may.

    No log-in proves who it was, and the row says so. All that commands pull counts as one person's. Setting prices
    aside, extending and ending are for the admin.
    """

    help = "Pause claims or activations, or stop new orders to a market, for an hour at most."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, for how long, by whom, and why."""
        kinds = [kind.value for kind in ControlKind if kind != ControlKind.SET_ASIDE]
        parser.add_argument("kind", choices=kinds)
        parser.add_argument("--market", default="", help="of no_new_orders: which market gets none")
        parser.add_argument("--minutes", required=True, type=int, help="how long from now on, 60 at most")
        parser.add_argument("--user", required=True, help="account in whose name it is pulled")
        parser.add_argument("--why", required=True, help="the reason, shown on every page of the admin")

    def handle(self, *args: Any, kind: str, market: str, minutes: int, user: str, why: str, **options: Any) -> None:
        """Pull it. Raises CommandError."""
        person = User.objects.filter(username=user).first()
        if person is None or not person.is_active or not person.has_perm(MAY_PULL):
            raise CommandError(f"There is no active account {user} that may pull controls.")
        try:
            made = pull(
                kind, market=market, lasts=timedelta(minutes=minutes), why=why, by=user, by_id=person.pk,
                on_command_line=True,
            )  # fmt: skip
        except DomainError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{made} holds until {made.until:%Y-%m-%d %H:%M:%S} UTC, and ends by itself.")
