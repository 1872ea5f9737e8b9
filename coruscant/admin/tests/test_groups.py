"""What the groups of the bank's people may do."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection

from coruscant.admin import groups

pytestmark = pytest.mark.django_db


def held_by(group):
    found = Group.objects.get(name=group).permissions.values_list("content_type__app_label", "codename")
    return {f"{label}.{codename}" for label, codename in found}


@pytest.mark.parametrize("group", groups.COMMANDS)
def test_every_group_sees_everything_and_has_its_commands_and_no_others(group):
    held = held_by(group)
    commands = {name for name in held if name.split(".")[0] not in groups.APPS or ".view_" not in name}
    assert commands == set(groups.COMMANDS[group])
    for label in groups.APPS:
        for model in apps.get_app_config(label).get_models():
            assert f"{label}.view_{model._meta.model_name}" in held


def test_who_makes_terms_posts_no_collateral_and_answers_for_no_order():
    assert "loans.add_loanterms" in held_by(groups.RISK_OFFICERS)
    assert not {"loans.add_collateralposting", "liquidation.change_tradeorder"} & held_by(groups.RISK_OFFICERS)


@pytest.mark.parametrize("is_used", [False, True])
def test_the_group_of_earlier_releases_becomes_representatives_unless_that_has_people(is_used):
    person, other = (User.objects.create_user(name) for name in ("leia", "han"))
    person.groups.add(Group.objects.create(name="Bank representatives"))
    if is_used:
        other.groups.add(Group.objects.get(name=groups.REPRESENTATIVES))
    migration = import_module("desk.migrations.0004_representatives")
    migration.forward(apps, SimpleNamespace(connection=connection))
    assert person.groups.get().name == ("Bank representatives" if is_used else groups.REPRESENTATIVES)
    assert Group.objects.filter(name="Bank representatives").exists() == is_used


def test_a_migration_makes_the_groups_again():
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert "loans.add_loan" in held_by(groups.REPRESENTATIVES)
    assert "loans.add_loan" not in held_by(groups.VIEWERS)
