"""`manage.py create_api_credential CLIENT`: a credential for a client of the API, printed once."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from knox.models import AuthToken

from loans.clients.models import Scope
from loans.clients.scopes import GROUP, set_scope

PERMISSIONS = ("add_loan", "add_collateralposting", "view_loan")


class Command(BaseCommand):
    """Make the client if it does not exist, and another credential for it; only its hash is kept.

    A client may have several credentials, each revoked in the admin. They share its scope, which stays as it is unless
    --scope names another. Staff and inactive users are refused.
    """

    help = "Make a credential for an API client and print it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client", help="Name of the client, at most 150 letters, digits and @.+-_")
        parser.add_argument(
            "--scope", choices=Scope.values, help="which loans the client may see: all, or its own; a new one, all"
        )
        parser.add_argument("--days", type=int, help="refuse it after so many days; without, it lives until revoked")

    def handle(self, *args: Any, client: str, days: int | None, scope: str | None, **options: Any) -> None:
        if days is not None and days < 1:
            raise CommandError("--days must be at least 1.")
        with transaction.atomic():
            user = _client(client)
            user.groups.add(_clients_group())
            set_scope(user, Scope(scope) if scope else None)
            _, token = AuthToken.objects.create(user, expiry=timedelta(days=days) if days else None)
        self.stderr.write(f"Credential of {client}, not shown again. Header: Authorization: Token <credential>")
        self.stdout.write(token)


def _client(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User(username=name)
        user.set_unusable_password()
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        user.save()
    if user.is_staff or not user.is_active:
        raise CommandError(f"{name} is {'a person of the bank' if user.is_staff else 'not active'}, not a client.")
    return user


def _clients_group() -> Group:
    """The group of all clients; its permissions are set when it is made, and may be changed in the admin."""
    group, created = Group.objects.get_or_create(name=GROUP)
    if created:
        group.permissions.set(Permission.objects.filter(content_type__app_label="loans", codename__in=PERMISSIONS))
    return group
