"""The representative of demos, whose password is public."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse

from local.demo.running_demo import PREPARATION

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_the_representative_is_made_once_and_may_log_in(client):
    (command,) = [command for sentence, command in PREPARATION if "log-in" in sentence]
    for _ in range(2):
        call_command(*command)
    assert User.objects.filter(username="representative").count() == 1
    assert client.login(username="representative", password="demo")
    assert client.get(reverse("admin:loans_loan_changelist")).status_code == 200
