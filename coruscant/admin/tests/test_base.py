"""What holds for every page of the admin: rows are read, never changed, and their history is shown."""

import re
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from coruscant import history
from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin
from coruscant.admin.tests.bank import make_bank, make_loan, make_representative

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

OUR_APPS = ("pricing", "loans", "liquidation", "approvals", "restores", "controls")


def page(row, name="change"):
    return reverse(
        f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}",
        args=() if name in {"changelist", "add"} else (row.pk,),
    )


@pytest.fixture
def bank():
    return make_bank()


@pytest.fixture
def browser(client):
    client.force_login(make_representative())
    return client


def test_every_table_of_the_business_has_a_page_that_is_only_read():
    for label in OUR_APPS:
        for model in apps.get_app_config(label).get_models():
            if not model.__name__.startswith("Historical"):
                found = admin.site._registry.get(model)
                assert isinstance(found, ReadOnlyAdmin), model
                assert isinstance(found, AuditedAdmin) == hasattr(model, "history"), model


def test_every_page_opens_for_a_representative(bank, browser):
    for row in bank.rows:
        for name in ("changelist", "change", "history"):
            assert browser.get(page(row, name)).status_code == 200, (row, name)


@pytest.mark.parametrize("object_id", ["999999", "nonsense"])
def test_a_row_that_is_not_there_is_said_not_to_be(object_id, browser):
    for model, page_of_it in admin.site._registry.items():
        if isinstance(page_of_it, ReadOnlyAdmin):
            path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{object_id}/change/"
            assert browser.get(path).status_code == 302, path


def test_every_search_and_filter_works(bank, browser):
    for row in bank.rows:
        listed = page(row, "changelist")
        found = browser.get(listed, {"q": "L-new"})
        assert found.status_code == 200, row
        options = [
            option for filters in found.context["cl"].filter_specs for option in filters.choices(found.context["cl"])
        ]
        for option in options[1:]:
            assert browser.get(listed + option["query_string"]).status_code == 200, (row, option)


def test_no_row_is_added_edited_or_deleted_by_hand(bank, browser):
    before = {row: row.__class__.objects.values().get(pk=row.pk) for row in bank.rows}
    for row in bank.rows[:-1]:  # the last is a credential, which may be revoked
        assert browser.post(page(row, "add"), {}).status_code == 403, row
        assert browser.post(page(row), {"status": "new", "collateral": "1"}).status_code == 403, row
        assert browser.post(page(row, "delete"), {"post": "yes"}).status_code == 403, row
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes", "index": 0}
        assert browser.post(page(row, "changelist"), chosen).status_code == 403, row
    assert {row: row.__class__.objects.values().get(pk=row.pk) for row in bank.rows} == before


def test_not_even_a_superuser_edits_by_hand(bank, client):
    client.force_login(User.objects.create_superuser("root"))
    assert client.post(page(bank.active), {"collateral": "1"}).status_code == 403
    assert client.post(page(bank.active, "delete"), {"post": "yes"}).status_code == 403


def test_the_past_is_read_but_never_restored(bank, browser):
    for row in bank.rows:
        if hasattr(row, "history"):
            version = row.history.get()
            url = reverse(
                f"admin:{row._meta.app_label}_{row._meta.model_name}_simple_history", args=(row.pk, version.history_id)
            )
            assert browser.get(url).status_code == 200, row
            assert b"Revert" not in browser.get(url).content
            assert browser.post(url, {"collateral": "1", "status": "new"}).status_code == 403, row


def test_a_history_says_who_and_why_with_plain_figures(bank, browser):
    with history.acting_as("mace", 7), history.cause("posting", correlation_id="req-7"):
        bank.active.collateral = Decimal("41.5")
        bank.active.save()
    text = browser.get(page(bank.active, "history")).content.decode()
    assert "posting req-7" in text
    assert "mace" in text
    assert "40 → 41.5" in text


def test_the_name_of_a_row_keeps_its_letters_and_that_of_a_table_has_a_capital(browser):
    with history.cause("test", correlation_id="loan"):
        loan = make_loan("be4ed368-13f9")
    for name in ("change", "history"):
        text = browser.get(page(loan, name)).content.decode()
        heading = re.sub(r"<[^>]*>", " ", text.partition("<h1")[2].partition("</h1>")[0])
        assert "be4ed368-13f9" in heading.split(), name
        assert "Loans" in heading.split(), name
        assert "Be4ed368" not in text, name


def test_a_stranger_sees_nothing(bank, client):
    assert client.get(page(bank.active)).status_code == 302
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    for row in bank.rows:
        assert client.get(page(row, "changelist")).status_code == 403
