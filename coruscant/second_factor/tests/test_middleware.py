"""A session without its second factor is nobody's, whatever it asks for."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from coruscant.admin.groups import OPERATORS
from coruscant.admin.tests.bank import make_person
from coruscant.second_factor import factors
from coruscant.second_factor.tests.codes import code_of, enrolled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

PAGE = "/admin/second-factor/"
EVERYWHERE = [
    reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")
    for model in admin.site._registry
    for page in ("changelist", "add")
]
EVERYWHERE += [
    "/admin/",
    "/admin/desk/stress/",
    "/admin/desk/overview/",
    "/admin/login/",
    "/admin/password_change/",
    "/admin/search/?s=x",
    "/admin/jsi18n/",
    "/admin/nowhere/",
]


@pytest.fixture
def operator(client, settings):
    """Somebody who must have a second factor, and has only entered the password."""
    settings.SECOND_FACTOR_GROUPS, settings.API_ALLOW_ANONYMOUS = [OPERATORS], False
    person = make_person("cody", OPERATORS)
    client.force_login(person)
    return person


def test_who_has_none_and_must_have_one_is_led_to_enrolment_from_everywhere(client, operator):
    for path in EVERYWHERE:
        answer = client.get(path)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, f"{PAGE}enrol/"), path
        assert client.post(path.split("?")[0], {}).status_code == 302, path
    assert client.get(PAGE)["Location"] == f"{PAGE}enrol/"
    assert client.get(f"{PAGE}enrol/").status_code == 200


def test_who_has_one_is_led_to_the_page_that_asks_for_it_and_enrols_no_other(client, operator):
    enrolled(operator)
    for path in (*EVERYWHERE, f"{PAGE}enrol/"):
        assert client.get(path)["Location"].split("?")[0] == PAGE, path
    assert client.post(f"{PAGE}enrol/", {"code": "123456"})["Location"] == PAGE
    assert TOTPDevice.objects.count() == 1


def test_the_api_does_not_know_a_session_without_it(client, operator):
    assert client.get("/loans").status_code == 401
    key, _codes = enrolled(operator)
    assert client.get("/loans").status_code == 401
    client.post(PAGE, {"code": code_of(key)})
    assert client.get("/loans").status_code == 200


def test_one_may_log_out_before(client, operator):
    assert "_auth_user_id" in client.session
    client.post("/admin/logout/")
    assert "_auth_user_id" not in client.session


def test_every_session_ends_when_the_second_factor_is_reset(client, operator):
    key, _codes = enrolled(operator)
    client.post(PAGE, {"code": code_of(key)})
    assert client.get("/admin/").status_code == 200
    factors.reset(operator, by=User.objects.create_user("mace"), why="lost")
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get(f"{PAGE}enrol/")["Location"].startswith("/admin/login/"), (
        "the next one could enrol in their place"
    )


def test_the_second_factor_of_somebody_else_opens_no_session(client, operator):
    key, codes = enrolled(make_person("rex", OPERATORS))
    enrolled(operator)
    TOTPDevice.objects.filter(user=operator).update(key="00" * 20)
    for code in (code_of(key), codes[0]):
        assert client.post(PAGE, {"code": code}).status_code == 200
    session = client.session
    session["otp_device_id"] = TOTPDevice.objects.exclude(user=operator).get().persistent_id
    session.save()
    assert client.get("/admin/")["Location"].startswith(PAGE)


def test_who_is_in_no_such_group_is_asked_for_nothing_unless_they_have_enrolled(client, settings):
    settings.SECOND_FACTOR_GROUPS = [OPERATORS]
    person = make_person("rex", "Viewers")
    client.force_login(person)
    assert client.get("/admin/").status_code == 200
    enrolled(person)
    assert client.get("/admin/")["Location"].startswith(PAGE)
