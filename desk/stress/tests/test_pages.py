"""Whoever may see the book asks at the page; risk officers keep scenarios there."""

import csv
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from structlog.testing import capture_logs

from coruscant import clock
from coruscant.admin.groups import AUDITORS, OPERATORS, REPRESENTATIVES, RISK_OFFICERS, VIEWERS
from desk.book import snapshot
from desk.models import PriceAtRisk, StressScenario
from desk.stress.pages import in_words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]
PAGE = "/admin/desk/stress/"


def log_in(client, group):
    person = User.objects.create_user(group, is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    client.force_login(person)


@pytest.fixture
def officer(client):
    log_in(client, RISK_OFFICERS)
    return client


@pytest.fixture
def book(loan, quote):
    quote("50")
    loan(amount="1440", collateral="40")
    loan(amount="1000", collateral="40")
    snapshot.take()


def text_of(client, query=""):
    response = client.get(PAGE + query)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def test_it_answers_a_fall_of_thirty_percent_unasked(officer, book):
    text = text_of(officer)
    assert "Stress test" in text
    assert "−30.00 %" in text
    assert "35.00 GC a unit" in text
    assert "1,440.00 GC owed" in text
    assert "How long selling takes is not known" in text
    assert "borrower-1" in text


def test_it_answers_a_price_and_has_no_inline_script(officer, book):
    response = officer.get(PAGE + "?price=36&fall=")
    assert "−28.00 %" in response.content.decode()
    body = response.content.decode().split('id="question"')[1]
    assert "<svg" in body
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", body.split("</main>")[0].split("Saved scenarios")[0])


def test_what_is_not_understood_is_said(officer, book):
    assert "Give a price or a fall, not both." in text_of(officer, "?price=1&fall=1")
    assert "The fall must be below 100 percent" in text_of(officer, "?fall=100")


def test_without_a_snapshot_or_a_price_it_says_why(officer, quote, loan, time_passes):
    time_passes()
    assert "No snapshot of the book has been taken yet" in text_of(officer)
    quote("50")
    snapshot.take()
    time_passes(minutes=10)
    assert "The best price is unknown" in text_of(officer)
    assert "No market has a live quote" in text_of(officer, "?price=30")


def test_the_csv_has_every_figure_in_full(officer, book):
    with capture_logs() as logs:
        response = officer.get(PAGE + "csv/?fall=30")
    assert [one["list"] for one in logs if one["event"] == "list_exported"] == ["desk.stress_test"]
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="stress-test.csv"'
    lines = list(csv.DictReader(response.content.decode().splitlines()))
    assert len(lines) == 62
    assert (lines[0]["exactness"], lines[0]["price"], lines[0]["shortfall"]) == ("exact", "35", "40")
    refused = officer.get(PAGE + "csv/?fall=100", follow=True)
    assert "The fall must be below 100 percent" in refused.content.decode()


def test_a_scenario_is_saved_asked_again_and_deleted(officer, book):
    assert 'value="30"' in officer.get(PAGE + "scenarios/save/?fall=30").content.decode()
    saved = officer.post(PAGE + "scenarios/save/", {"name": "a bad day", "price": "", "fall": "30"}, follow=True)
    assert "a bad day is saved." in saved.content.decode()
    scenario = StressScenario.objects.get()
    assert (scenario.price, scenario.fall, scenario.saved_by) == (None, Decimal("0.3"), RISK_OFFICERS)
    assert f'href="{PAGE}?fall=30"' in saved.content.decode()
    again = officer.post(PAGE + "scenarios/save/", {"name": "a bad day", "price": "1", "fall": ""})
    assert "There is a scenario" in again.content.decode()

    delete = f"{PAGE}scenarios/{scenario.pk}/delete/"
    assert "will be gone for everybody" in officer.get(delete).content.decode()
    assert StressScenario.objects.exists(), "a look deletes nothing"
    assert officer.post(delete).status_code == 302
    assert not StressScenario.objects.exists()
    assert officer.get(delete).status_code == 404


def test_what_others_wrote_is_text(officer, book):
    officer.post(PAGE + "scenarios/save/", {"name": "<script>alert(1)</script>", "price": "1", "fall": ""})
    assert "<script>alert(1)" not in officer.get(PAGE).content.decode()


def test_price_at_risk_is_shown_as_it_was_computed(officer, book):
    about = {"computed_at": clock.now(), "history_needed": timedelta(hours=3)}
    PriceAtRisk.objects.create(hours=1, percent=95, history=timedelta(minutes=100), **about)
    PriceAtRisk.objects.create(
        hours=1, percent=99, history=timedelta(hours=5), fall="0.125", price="43.75", called=1, sold=2, owed=3, units=4,
        shortfall=5, **about,
    )  # fmt: skip
    text = text_of(officer)
    assert "not enough history: it needs 3 h 100 min" in re.sub(r"\s+", " ", text)
    assert "1 h, 99 % −12.50 % 43.75 2 3.00 5.00 5 h" in text


@pytest.mark.parametrize("group", [VIEWERS, REPRESENTATIVES, OPERATORS, AUDITORS])
def test_others_of_the_bank_see_it_and_keep_nothing(client, group, book):
    log_in(client, group)
    shown = client.get(PAGE)
    assert shown.status_code == 200
    assert "scenarios/save" not in shown.content.decode()
    assert client.get(PAGE + "csv/").status_code == 200
    scenario = StressScenario.objects.create(name="x", price=1, saved_by="leia", saved_at=clock.now())
    for address in ("scenarios/save/", f"scenarios/{scenario.pk}/delete/"):
        assert client.get(PAGE + address).status_code == 403
        assert client.post(PAGE + address, {"name": "y", "price": "1"}).status_code == 403
    assert list(StressScenario.objects.all()) == [scenario]
    assert f"scenarios/{scenario.pk}/delete" not in client.get(PAGE).content.decode()


@pytest.mark.parametrize("address", ["", "csv/", "scenarios/save/", "scenarios/1/delete/"])
def test_nobody_else_sees_it(client, address):
    assert client.get(PAGE + address).status_code == 302
    client.force_login(User.objects.create_user("borrower"))
    assert client.get(PAGE + address).status_code == 302
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(PAGE + address).status_code == 403


def test_durations_are_said_in_their_two_largest_units():
    assert [in_words(seconds) for seconds in (None, 0, 59, 60, 3601, 7320, 90061)] == [
        "not known", "0 s", "59 s", "1 min", "1 h 1 s", "2 h 2 min", "25 h 1 min",
    ]  # fmt: skip
