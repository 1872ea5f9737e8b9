"""Every command and every page of the admin, for every group: by its address, with and without a form."""

import pytest
from django.contrib import admin
from django.urls import reverse

from coruscant.admin.groups import AUDITORS, COMMANDS, OPERATORS, REPRESENTATIVES, RISK_OFFICERS, VIEWERS
from coruscant.admin.tests.bank import make_bank, make_person
from desk.navigation import GROUPS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

EVERYBODY = {VIEWERS, REPRESENTATIVES, RISK_OFFICERS, OPERATORS, AUDITORS}
DECIDERS = {REPRESENTATIVES, RISK_OFFICERS, OPERATORS}
EVIDENCE = EVERYBODY - {VIEWERS}
#: Who may do it, by the command's own name. Withdrawing is for whoever has asked, which its service sees to.
MAY = {
    "agree": DECIDERS,
    "refuse": DECIDERS,
    "withdraw": EVERYBODY,
    "change_scope": {OPERATORS},
    "release_claims": {OPERATORS},
    "nothing_was_lost": {OPERATORS},
    "change_guard": {RISK_OFFICERS},
    "make_terms": {RISK_OFFICERS},
    "move_loans": {RISK_OFFICERS},
    "pull": {RISK_OFFICERS},
    "extend": {RISK_OFFICERS},
    "end": {RISK_OFFICERS},
    "market_did_trade": {OPERATORS},
    "market_did_not_trade": {OPERATORS},
    "stop_sending": {OPERATORS},
    "release_sale": {OPERATORS},
    "adopt": {OPERATORS},
    "explain": {OPERATORS},
    "register_application": {REPRESENTATIVES},
    "post_collateral": {REPRESENTATIVES},
    "evidence": EVIDENCE,
    "print_evidence": EVIDENCE,
}
READS = {"evidence", "print_evidence"}


def commands():
    """Every button that any page of the admin may show: its name and its address."""
    for model, pages in admin.site._registry.items():
        for name in getattr(pages, "actions_list", None) or ():
            yield name, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}")
        for name in getattr(pages, "actions_detail", None) or ():
            row = model._default_manager.first()
            address = f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}"
            yield name, reverse(address, args=(row.pk if row else 0,))


@pytest.mark.parametrize("group", COMMANDS)
def test_a_command_is_for_its_groups_and_refused_to_all_others(client, group):
    make_bank()
    client.force_login(make_person("ahsoka", group))
    found = list(commands())
    assert {name for name, _address in found} == set(MAY)
    for name, address in found:
        answers = [client.get(address), *([] if name in READS else [client.post(address, {})])]
        refused = {answer.status_code == 403 for answer in answers}
        assert refused == {group not in MAY[name]}, (name, [answer.status_code for answer in answers])


@pytest.mark.parametrize("group", COMMANDS)
def test_every_group_sees_every_page_of_the_side_bar(client, group):
    make_bank()
    client.force_login(make_person("ahsoka", group))
    pages = [page for title, entries in GROUPS if title != "Administration" for _t, _i, page, _p in entries]
    for page in pages:
        assert client.get(reverse(page)).status_code == 200, page
    assert client.get(reverse("admin:auth_user_changelist")).status_code == 403


def test_who_is_in_no_group_sees_nothing(client):
    make_bank()
    client.force_login(make_person("ahsoka"))
    assert "in no group" in client.get(reverse("admin:index")).content.decode()
    for title, entries in GROUPS:
        for _title, _icon, page, _permission in entries:
            if page != "admin:index":
                assert client.get(reverse(page)).status_code == 403, (title, page)
    assert {client.get(address).status_code for _name, address in commands()} == {403}


def test_nobody_adds_changes_or_deletes_a_row_by_hand(client):
    make_bank()
    client.force_login(make_person("ahsoka", *COMMANDS))
    for model in admin.site._registry:
        if model._meta.app_label in {"auth", "knox"}:  # administrators keep accounts; deleting a credential revokes it
            continue
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        addresses = [reverse(f"{base}_add")]
        addresses += [reverse(f"{base}_{verb}", args=(row.pk,)) for verb in ("change", "delete")] if row else []
        for address in addresses:
            assert client.post(address, {"post": "yes"}).status_code in {403, 302}, address
        assert row is None or model._default_manager.filter(pk=row.pk).exists()
