"""The demo's log-ins to the desk, with a public password: for no database but a demo's.

docker-compose.yml runs it in the service's image, with this folder alone: it imports the service, and `logins`.
"""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils import timezone

from local.demo.logins import ACCOUNTS, PASSWORD

#: Whose account is younger than a day may not agree to what others ask.
OLD_ENOUGH = timedelta(days=2)


def make() -> None:
    """Make every account, or put it into the same state again: safe to repeat."""
    for username, group in ACCOUNTS.items():
        user, _ = get_user_model().objects.get_or_create(username=username)
        user.is_staff, user.is_active = True, True
        user.date_joined = timezone.now() - OLD_ENOUGH
        user.set_password(PASSWORD)
        user.save()
        user.groups.set(Group.objects.filter(name=group))
