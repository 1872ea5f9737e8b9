"""Credentials of API clients: made by a command, printed once."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from knox.models import AuthToken

from loans.management.commands.tests.credentials import credential

pytestmark = pytest.mark.django_db


def test_only_the_hash_of_a_credential_is_kept():
    first, second = credential(), credential()
    assert first != second
    assert AuthToken.objects.count() == 2
    assert not AuthToken.objects.filter(digest__in=[first, second]).exists()
    assert not User.objects.get().has_usable_password()


@pytest.mark.parametrize("name", ["", "with space", "x" * 151])
def test_a_bad_name_makes_no_client(name):
    with pytest.raises(CommandError):
        credential(name)
    assert User.objects.count() == 0


def test_staff_and_inactive_users_get_no_credential():
    User.objects.create_superuser("ahsoka")
    User.objects.create_user("gone", is_active=False)
    for name in ("ahsoka", "gone"):
        with pytest.raises(CommandError):
            credential(name)
    assert AuthToken.objects.count() == 0


def test_a_credential_can_end_by_itself():
    credential(days=30)
    made = AuthToken.objects.get()
    assert made.expiry - made.created == pytest.approx(timedelta(days=30), abs=timedelta(seconds=5))
    with pytest.raises(CommandError, match="--days"):
        credential(days=0)
