"""How long a session lasts, whatever whoever has its cookie does to keep it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

HOURS = timedelta(hours=8)


@pytest.fixture
def later(monkeypatch):
    """Let so much time pass."""
    begun, now = timezone.now(), timezone.now

    def pass_to(since):
        monkeypatch.setattr(timezone, "now", lambda: now() + since)
        return begun

    return pass_to


@pytest.mark.django_db
def test_a_cookie_that_is_taken_is_worth_nothing_eight_hours_after_log_in_whatever_is_done_with_it(client, later):
    User.objects.create_superuser("ahsoka", password="x")
    client.post("/admin/login/", {"username": "ahsoka", "password": "x"})
    thief = Client()
    thief.cookies["sessionid"] = client.cookies["sessionid"].value
    begun = later(HOURS - timedelta(minutes=1))
    thief.get("/admin/second-factor/enrol/")
    assert "second_factor_key" in thief.session, "the page has written to the session"
    assert Session.objects.get().expire_date - begun < HOURS + timedelta(minutes=1)
    assert thief.get("/admin/").status_code == 200
    later(HOURS + timedelta(minutes=1))
    assert thief.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_a_browser_that_is_closed_forgets_the_cookie(client):
    User.objects.create_superuser("ahsoka", password="x")
    client.post("/admin/login/", {"username": "ahsoka", "password": "x"})
    assert (client.cookies["sessionid"]["max-age"], client.cookies["sessionid"]["expires"]) == ("", "")
