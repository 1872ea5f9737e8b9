"""What the overview refreshes: figures, and the banners above them."""

from datetime import timedelta

import pytest
from django.contrib.messages import constants
from django.urls import reverse

from coruscant import clock, history
from coruscant.admin.groups import VIEWERS
from coruscant.admin.tests.bank import make_bank, make_person
from coruscant.controls.models import Control
from desk.book import snapshot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]
PAUSED = "Claims are paused until"


@pytest.fixture
def viewer(client):
    make_bank()
    client.force_login(make_person("ahsoka", VIEWERS))
    return client


def pause():
    now = clock.now()
    with history.cause("test", correlation_id="pause"):
        Control.objects.create(
            kind="pause_claims", began_at=now, until=now + timedelta(minutes=5), why="To see.", pulled_by="leia"
        )


def test_banners_are_in_the_part_that_refreshes_itself_and_come_and_go_with_it(viewer):
    page, part = reverse("admin:index"), reverse("desk:overview")
    assert PAUSED not in viewer.get(part).content.decode()
    pause()
    assert viewer.get(part).content.decode().count(PAUSED) == 1
    assert viewer.get(page).content.decode().count(PAUSED) == 1, "not above it as well, where it would stay"
    with history.cause("test", correlation_id="over"):
        Control.objects.filter(why="To see.").update(until=clock.now())
    assert PAUSED not in viewer.get(part).content.decode()


def test_what_a_person_is_told_once_stays_above_it(viewer, monkeypatch):
    said = [(constants.SUCCESS, "Booked.")]
    monkeypatch.setattr("desk.overview.page.messages.get_messages", lambda _request: [m for _level, m in said])
    assert "Booked." in viewer.get(reverse("admin:index")).content.decode()
    assert "Booked." not in viewer.get(reverse("desk:overview")).content.decode()


def test_banners_are_read_once_though_two_parts_of_the_page_show_them(viewer, monkeypatch):
    asked = []
    monkeypatch.setattr("coruscant.admin.overview.banners", [asked.append])
    viewer.get(reverse("admin:index"))
    assert len(asked) == 1


def test_the_page_asks_the_database_as_often_however_much_there_is(viewer, django_assert_max_num_queries):
    snapshot.take()
    viewer.get(reverse("admin:index"))  # the connection is asked who it is, once
    with django_assert_max_num_queries(50):
        assert "If the price falls" in viewer.get(reverse("admin:index")).content.decode()
