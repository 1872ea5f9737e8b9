"""`manage.py ask_approval ACTION ARGUMENTS --user NAME --why TEXT`: asks for something that needs two people."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from coruscant.approvals.ask import ask
from coruscant.errors import DomainError
from coruscant.strict_json import NotStrictJSON, read_object

LONGEST_ARGUMENTS = 100_000


class Command(BaseCommand):
    """Ask, in the name of an account, for what that person might ask for in the admin.

    The command line can only ask. Agreeing needs a log-in of somebody else, in the admin.
    """

    help = "Ask for something that a second person then agrees to, or refuses, in the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, by whom, and why."""
        parser.add_argument("action", help="name of the action; an unknown one is answered with those that there are")
        parser.add_argument(
            "arguments", help='JSON object of its arguments, such as \'{"order_id": 7, "units": "40"}\''
        )
        parser.add_argument("--user", required=True, help="account of whoever asks, who cannot agree to it then")
        parser.add_argument("--why", required=True, help="the reason, for the second person")

    def handle(self, *args: Any, action: str, arguments: str, user: str, why: str, **options: Any) -> None:
        """Print what it would do, and where it is agreed to. Raises CommandError."""
        person = User.objects.filter(username=user).first()
        if person is None:
            raise CommandError(f"There is no account {user}.")
        try:
            sent = read_object(arguments, at_most=LONGEST_ARGUMENTS)
            approval = ask(action, sent, why=why, asked_by=person, on_command_line=True)
        except (NotStrictJSON, DomainError) as error:
            raise CommandError(str(error)) from None
        page = reverse("admin:approvals_approval_change", args=(approval.pk,))
        self.stdout.write(approval.effect)
        self.stdout.write(f"Asked as approval {approval.pk}. Nothing is done before somebody else agrees at {page},")
        self.stdout.write(f"which is possible until {approval.expires_at:%Y-%m-%d %H:%M:%S} UTC.")
