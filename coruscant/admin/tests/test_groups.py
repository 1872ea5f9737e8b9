"""What the groups of the bank's people may do."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command

from coruscant.admin import groups

pytestmark = pytest.mark.django_db


def held_by(group):
    found = Group.objects.get(name=group).permissions.values_list("content_type__app_label", "codename")
    return {f"{label}.{codename}" for label, codename in found}


@pytest.mark.parametrize("group", groups.COMMANDS)
def test_every_group_sees_everything_and_has_its_commands_and_no_others(group):
    held = held_by(group)
    assert {name for name in held if not name.split(".")[1].startswith("view_")} == set(groups.COMMANDS[group])
    for label in groups.APPS:
        for model in apps.get_app_config(label).get_models():
            assert f"{label}.view_{model._meta.model_name}" in held


def test_who_makes_terms_posts_no_collateral_and_answers_for_no_order():
    assert "loans.add_loanterms" in held_by(groups.RISK_OFFICERS)
    assert not {"loans.add_collateralposting", "liquidation.change_tradeorder"} & held_by(groups.RISK_OFFICERS)


def test_a_migration_makes_the_groups_again():
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert "loans.add_loan" in held_by(groups.REPRESENTATIVES)
    assert "loans.add_loan" not in held_by(groups.VIEWERS)
