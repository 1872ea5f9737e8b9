"""A misspelt group of SECOND_FACTOR_GROUPS is an error, not a group that is asked for nothing."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import SystemCheckError

pytestmark = pytest.mark.django_db


def test_a_group_that_does_not_exist_is_an_error(settings):
    settings.SECOND_FACTOR_GROUPS = ["Operators", "Oprators"]
    with pytest.raises(SystemCheckError, match="names 'Oprators', and there is no such group") as found:
        call_command("check", databases=["default"])
    assert "'Operators'" not in str(found.value)


def test_migrate_is_not_kept_from_making_its_groups_anew(settings):
    settings.SECOND_FACTOR_GROUPS = ["Operators"]
    Group.objects.filter(name="Operators").delete()
    assert Group.objects.exists()
    call_command("check", databases=["default"])


def test_a_new_database_has_no_groups_yet(settings):
    settings.SECOND_FACTOR_GROUPS = ["Operators"]
    Group.objects.all().delete()
    call_command("check", databases=["default"])
