"""`manage.py create_demo_user`: a bank representative with a public password, for demos only."""

import os
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError

from coruscant.admin import groups

USERNAME = "representative"
PASSWORD = "demo"  # noqa: S105  (public, and therefore refused outside demos)


class Command(BaseCommand):
    """Make the user, or put it into the same state again: safe to repeat."""

    help = "Create the demo's bank representative (user representative, password demo); refused outside demos."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        """Make the user. Raises CommandError unless DEBUG or the environment's DEMO is true."""
        demo = os.environ.get("DEMO", "").strip().lower() in {"true", "1", "yes", "on"}
        if not (demo or settings.DEBUG):
            raise CommandError("Refused: the demo user's password is public; set DEMO=true if this is a demo.")
        user, _ = get_user_model().objects.get_or_create(username=USERNAME)
        user.is_staff, user.is_active = True, True
        user.set_password(PASSWORD)
        user.save()
        user.groups.add(Group.objects.get(name=groups.GROUP))
        self.stdout.write(f"User {USERNAME} with password {PASSWORD} may log in to /admin/.")
