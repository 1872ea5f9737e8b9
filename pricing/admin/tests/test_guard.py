"""The guard over prices in the admin: seen by all, changed only by asking."""

from django.core.cache import cache

from coruscant import clock
from coruscant.approvals.models import Approval
from pricing.models import PriceGuard
from pricing.tests.builders import MOS_ESPA
from pricing.tests.rows import quote_row

LIST = "/admin/pricing/priceguard/"
CHANGE = f"{LIST}change-guard/"
SENT = {"mode": "watch", "jump": "0.5", "agreement": "0.1", "dispute": "0.25", "why": "A market is redenominated."}


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_its_settings_are_listed_with_who_changed_them(browser):
    text = browser.get(LIST).content.decode()
    assert "migration" in text
    assert "0.4000" in text


def test_changing_it_only_asks(browser):
    assert "what the present and the new settings would have held" in browser.get(CHANGE).content.decode()
    response = browser.post(CHANGE, SENT, follow=True)
    assert "somebody else has to agree" in said(response)[-1]
    asked = Approval.objects.get()
    assert (asked.action, asked.outcome, asked.arguments["mode"]) == ("pricing.change_guard", "asked", "watch")
    assert "the present jump of 0.4 would have held 0 quotes" in asked.effect
    assert PriceGuard.objects.count() == 1


def test_settings_that_do_not_fit_are_refused_on_the_page(browser):
    response = browser.post(CHANGE, {**SENT, "agreement": "0.6"}, follow=True)
    assert "the agreement below the jump" in response.content.decode()
    response = browser.post(CHANGE, {**SENT, "jump": "0.3"}, follow=True)
    assert "the fall from activation to liquidation" in response.content.decode()
    assert not Approval.objects.exists()


def test_who_may_not_change_it_has_no_button(browser, django_user_model):
    assert "change-guard" in browser.get(LIST).content.decode()
    person = django_user_model.objects.get()
    person.groups.clear()
    person.user_permissions.clear()
    browser.force_login(person)
    assert browser.get(CHANGE).status_code == 403


def test_a_jump_that_waits_has_a_banner_on_every_page(browser):
    assert "jump of prices" not in browser.get(LIST).content.decode()
    quote_row(MOS_ESPA, 0, "5000", sent_at=clock.now(), market_time=2000)
    cache.clear()
    assert "A jump of prices at Mos Espa, Tatooine is not confirmed yet" in browser.get(LIST).content.decode()
