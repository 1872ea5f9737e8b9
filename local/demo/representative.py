"""The demo's log-in to the admin: a bank representative with a public password, for no database but the demo's."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from coruscant.admin import groups

USERNAME = "representative"
PASSWORD = "demo"


def make() -> None:
    """Make the user, or put it into the same state again: safe to repeat."""
    user, _ = get_user_model().objects.get_or_create(username=USERNAME)
    user.is_staff, user.is_active = True, True
    user.set_password(PASSWORD)
    user.save()
    user.groups.add(Group.objects.get(name=groups.GROUP))
