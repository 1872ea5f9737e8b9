"""The log-ins of demos, whose password is public."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpRequest
from django.urls import reverse

from coruscant.admin import groups
from local.demo.logins import ACCOUNTS
from local.demo.running_demo import PREPARATION

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_the_accounts_are_made_once_and_may_log_in(client):
    (command,) = [command for sentence, command in PREPARATION if "log-in" in sentence]
    for _ in range(2):
        call_command(*command)
    for name in ACCOUNTS:
        assert User.objects.filter(username=name).count() == 1
        assert client.login(request=HttpRequest(), username=name, password="demo")
        assert client.get(reverse("admin:loans_loan_changelist")).status_code == 200


def test_each_group_has_somebody_and_those_whose_acts_take_two_have_two():
    of_groups = list(ACCOUNTS.values())
    assert set(of_groups) == set(groups.COMMANDS)
    assert of_groups.count(groups.RISK_OFFICERS) == of_groups.count(groups.OPERATORS) == 2
