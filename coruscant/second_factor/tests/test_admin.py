"""The pages of accounts."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User

from coruscant.admin.tests.bank import make_person
from coruscant.second_factor.admin import PersonAdmin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture(autouse=True)
def administrator(client):
    client.force_login(User.objects.create_superuser("root"))


def test_nobody_makes_an_account_look_older_or_gives_it_another_name(client):
    young = make_person("ahsoka")
    page = f"/admin/auth/user/{young.pk}/change/"
    assert not {"username", "date_joined"} & set(client.get(page).context["adminform"].form.fields)
    sent = {"username": "mace", "date_joined_0": "2020-01-01", "date_joined_1": "00:00:00", "first_name": "Ahsoka"}
    assert client.post(page, sent | {"is_active": "on"}).status_code == 302
    changed = User.objects.get(pk=young.pk)
    assert changed.first_name == "Ahsoka"
    assert (changed.username, changed.date_joined) == ("ahsoka", young.date_joined)


def test_an_account_is_not_deleted_so_that_nobody_gets_its_name(client):
    person = make_person("ahsoka")
    assert client.post(f"/admin/auth/user/{person.pk}/delete/", {"post": "yes"}).status_code == 403
    sent = {"action": "delete_selected", "_selected_action": [person.pk], "post": "yes"}
    client.post("/admin/auth/user/", sent)
    assert User.objects.filter(pk=person.pk).exists()


def test_an_account_is_made_as_before(client):
    assert client.get("/admin/auth/user/add/").status_code == 200
    assert client.get("/admin/auth/user/").status_code == 200


def test_there_is_one_class_of_these_pages():
    assert type(admin.site._registry[User]) is PersonAdmin
    assert PersonAdmin.__subclasses__() == []
