"""What holds for every page of the admin: only read, plainly printed, with the banner of an outage on top."""

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from unittest.mock import Mock

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.urls import reverse

from coruscant import history
from coruscant.admin import groups
from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin, figure, instant, percent
from coruscant.tests.bank import make_bank, make_representative, set_price
from pricing import best_price
from pricing.models import PriceQuote

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

OUR_APPS = ("pricing", "loans", "liquidation")


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


def test_figures_are_printed_plainly():
    assert figure(Decimal("1000.500000000000000000000000"), "GC") == "1000.5 GC"
    assert figure(Decimal("0E-24"), "units") == "0 units"
    assert figure(Decimal("1E+3")) == "1000"
    assert figure(None, "GC") == "–"


def test_an_ltv_shows_80_percent_only_when_it_is_reached():
    assert percent(Decimal("0.79999999")) == "79.99 %"
    assert percent(Decimal("0.8")) == "80.00 %"


def test_instants_are_shown_to_the_second_in_utc():
    assert instant(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)) == "2026-01-02 03:04:05 UTC"


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


def test_a_stranger_sees_nothing(bank, client):
    assert client.get(page(bank.active)).status_code == 302
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    for row in bank.rows:
        assert client.get(page(row, "changelist")).status_code == 403


def test_the_banner_of_an_outage_is_on_every_page(bank, browser):
    assert "No live price" not in browser.get(reverse("admin:index")).content.decode()
    set_price(None)
    for url in (
        reverse("admin:index"),
        page(bank.active),
        page(bank.active, "changelist"),
        page(bank.active, "history"),
    ):
        assert "No live price: no market has been heard yet" in browser.get(url).content.decode(), url


def test_the_banner_says_since_when(bank, browser):
    PriceQuote.objects.update(sent_at=datetime(2026, 5, 4, 10, 30, tzinfo=UTC))
    best_price.refresh()
    text = browser.get(reverse("admin:index")).content.decode()
    assert "No live price: nothing new is claimed since 2026-05-04 10:31:00 UTC" in text


def test_the_login_page_says_nothing_of_the_bank(client, bank):
    set_price(None)
    assert "No live price" not in client.get(reverse("admin:login")).content.decode()


def test_the_board_is_read_once_a_page(bank, browser, monkeypatch):
    board_read = Mock(wraps=best_price.current)
    monkeypatch.setattr(best_price, "current", board_read)
    browser.get(page(bank.active, "changelist"))
    assert board_read.call_count == 1


def test_the_dashboard_counts_what_waits_for_a_person(bank, browser):
    cards = {card.title: card for card in browser.get(reverse("admin:index")).context["cards"]()}
    assert cards["Waiting for a person"].figure == "1"
    assert cards["Failed claims"].figure == "1"
    assert cards["Rejected messages"].figure == "1"
    assert cards["Best price"].figure == "50 GC"


def test_representatives_see_everything_and_have_three_commands():
    held = set(Group.objects.get(name=groups.GROUP).permissions.values_list("content_type__app_label", "codename"))
    commands = {codename for _, codename in held if not codename.startswith("view_")}
    assert commands == {"add_loan", "add_collateralposting", "change_tradeorder", "delete_authtoken"}
    for label in OUR_APPS:
        for model in apps.get_app_config(label).get_models():
            assert (label, f"view_{model._meta.model_name}") in held


def test_a_migration_puts_the_group_in_place_again():
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert Group.objects.get(name=groups.GROUP).permissions.filter(codename="add_loan").exists()


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
