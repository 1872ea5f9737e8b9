"""The representative of demos, whose password is public."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.urls import reverse

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.mark.parametrize(("demo", "debug"), [("true", False), ("", True)])
def test_the_demo_user_is_made_once_and_may_log_in(client, monkeypatch, settings, demo, debug):
    monkeypatch.setenv("DEMO", demo)
    settings.DEBUG = debug
    for _ in range(2):
        call_command("create_demo_user", stdout=StringIO())
    assert User.objects.filter(username="representative").count() == 1
    assert client.login(username="representative", password="demo")
    assert client.get(reverse("admin:loans_loan_changelist")).status_code == 200


def test_the_demo_user_is_refused_outside_demos(monkeypatch):
    monkeypatch.delenv("DEMO", raising=False)
    with pytest.raises(CommandError, match="public"):
        call_command("create_demo_user")
    assert not User.objects.exists()
