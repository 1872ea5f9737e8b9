"""What the group of representatives may do."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command

from coruscant.admin import groups

pytestmark = pytest.mark.django_db


def test_representatives_see_everything_and_have_ten_commands():
    held = set(Group.objects.get(name=groups.GROUP).permissions.values_list("content_type__app_label", "codename"))
    commands = {codename for _, codename in held if not codename.startswith("view_")}
    assert commands == {
        "add_loan", "add_collateralposting", "change_tradeorder", "change_reconciliationdifference", "change_approval",
        "delete_authtoken", "add_priceguard", "add_loanterms", "add_control", "change_control",
    }  # fmt: skip
    for label in ("pricing", "loans", "liquidation", "approvals", "controls"):
        for model in apps.get_app_config(label).get_models():
            assert (label, f"view_{model._meta.model_name}") in held


def test_a_migration_makes_the_group_again():
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert Group.objects.get(name=groups.GROUP).permissions.filter(codename="add_loan").exists()
