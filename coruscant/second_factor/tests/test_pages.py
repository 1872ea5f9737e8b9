"""The page that asks for a code, and the page of enrolment."""

import re

import pytest
from django.contrib.auth.models import User

from coruscant.admin.tests.bank import make_person
from coruscant.second_factor import factors
from coruscant.second_factor.tests.codes import code_of, enrolled, key_on, wrong_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

PAGE, ENROL = "/admin/second-factor/", "/admin/second-factor/enrol/"


@pytest.fixture
def person(client) -> User:
    found = make_person("ahsoka", "Viewers")
    client.force_login(found)
    return found


def test_a_page_leads_back_to_where_its_reader_was_going(client, person):
    key, _codes = enrolled(person)
    asked = client.get("/admin/loans/loan/?status=new")
    answer = client.post(asked["Location"], {"code": f" {code_of(key)[:3]} {code_of(key)[3:]} "})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/loans/loan/?status=new")
    assert client.get("/admin/loans/loan/").status_code == 200
    assert client.get(PAGE)["Location"] == "/admin/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_it_leads_nowhere_else(client, person, elsewhere):
    key, _codes = enrolled(person)
    assert client.post(f"{PAGE}?next={elsewhere}", {"code": code_of(key)})["Location"] == "/admin/"


def test_a_wrong_code_is_refused_in_words_and_a_session_gets_a_new_id_with_the_right_one(client, person):
    enrolled(person)
    before = client.session.session_key
    assert "is wrong or was used before" in client.post(PAGE, {"code": "aaaaaaaa"}).content.decode()
    assert client.get("/admin/")["Location"].startswith(PAGE)
    assert client.session.session_key == before


def test_enrolment_shows_a_secret_of_this_session_alone_and_backup_codes_once(client, person):
    page = client.get(ENROL).content.decode()
    key = key_on(page)
    assert 'src="data:image/svg+xml' in page
    assert key_on(client.get(ENROL).content.decode()) == key
    assert "not the code of now" in client.post(ENROL, {"code": wrong_code(key)}).content.decode()
    assert not factors.has_one(person)
    before = client.session.session_key
    done = client.post(f"{ENROL}?next=/admin/loans/loan/", {"code": code_of(key)})
    assert "no-store" in done["Cache-Control"]
    codes = re.findall(r"<li><code>([a-z2-7]{8})</code>", done.content.decode())
    assert len(codes) == factors.BACKUP_CODES
    assert 'href="/admin/loans/loan/"' in done.content.decode()
    assert client.session.session_key != before
    assert client.get("/admin/").status_code == 200
    again = client.get(ENROL).content.decode()
    assert codes[0] not in again
    assert key_on(again) != key

    client.logout()
    client.force_login(person)
    assert client.get("/admin/")["Location"].startswith(PAGE)
    assert client.post(PAGE, {"code": codes[0].upper()}).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_nobody_is_asked_who_has_not_logged_in(client):
    assert client.get(PAGE)["Location"] == "/admin/"
    assert client.get(ENROL)["Location"] == "/admin/login/"
