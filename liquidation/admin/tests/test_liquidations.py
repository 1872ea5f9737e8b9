"""What representatives see of sales that a restore holds, and how they ask for one to be released."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from coruscant import clock, history
from coruscant.admin.tests.bank import make_liquidation, make_loan, make_representative, set_price
from coruscant.approvals.decide import agree
from coruscant.approvals.models import Approval
from coruscant.approvals.tests.support import log_in, representative
from coruscant.restores.models import Restore
from liquidation.models import Liquidation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache", "enqueued")]

LIST = "/admin/liquidation/liquidation/"


@pytest.fixture(autouse=True)
def cause(db):
    history.set_cause("test", correlation_id="rows")


@pytest.fixture
def browser(client):
    set_price("50")
    client.force_login(make_representative())
    return client


@pytest.fixture
def restore():
    now = clock.now()
    return Restore.objects.create(since=now - timedelta(minutes=5), begun_at=now, begun_by="Leia")


def liquidating(name="L-1", **columns) -> Liquidation:
    return make_liquidation(make_loan(name, status="liquidating"), **columns)


def page_and_button(sale):
    names = ("liquidation_liquidation_change", "liquidation_liquidation_release_sale")
    return tuple(reverse(f"admin:{name}", args=(sale.pk,)) for name in names)


def test_the_list_says_what_is_held_and_shows_only_that_if_asked(browser, restore, django_assert_max_num_queries):
    held = [liquidating(f"L-held-{number}", held_by=restore) for number in range(12)]
    liquidating("L-free")
    browser.get(LIST)
    with django_assert_max_num_queries(17):
        assert browser.get(LIST).content.decode().count(f">{restore}</a>") == len(held)
    listed = browser.get(LIST, {"held": "yes"}).context["cl"].result_list
    assert {row.pk for row in listed} == {row.pk for row in held}


def test_a_held_sale_goes_on_when_somebody_else_agrees(browser, restore):
    sale, other = liquidating(held_by=restore), liquidating("L-2", held_by=restore)
    page, button = page_and_button(sale)
    assert button in browser.get(page).content.decode()
    assert "may be sold again" in browser.get(button).content.decode()
    assert browser.post(button, {"why": "The market says so."}).status_code == 302
    approval = Approval.objects.get()
    assert (approval.action, approval.arguments) == ("liquidation.release_sale", {"liquidation_id": sale.pk})
    sale.refresh_from_db()
    assert sale.held_by == restore, "asked for"
    agree(approval.pk, request=log_in(representative("han")))
    for row in (sale, other):
        row.refresh_from_db()
    assert (sale.held_by, other.held_by) == (None, restore)
    assert button not in browser.get(page).content.decode()
    answer = browser.post(button, {"why": "Again."})
    assert "is not held" in str([str(message) for message in answer.context["messages"]])


def test_releasing_needs_a_reason_and_the_permission_to_answer_for_orders(browser, client, restore):
    sale = liquidating(held_by=restore)
    page, button = page_and_button(sale)
    browser.post(button, {"why": ""})
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    assert button not in client.get(page).content.decode()
    assert client.post(button, {"why": "so"}).status_code == 403
    assert not Approval.objects.exists()
