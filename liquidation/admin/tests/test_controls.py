"""What representatives see of controls, and how they pull, extend and end them."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from coruscant import clock, history
from coruscant.admin.tests.bank import make_representative
from coruscant.approvals.models import Approval
from coruscant.controls.models import Control
from coruscant.controls.tests.support import pull_it
from liquidation import evaluate
from pricing.markets import Market

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

PULL = "admin:controls_control_pull"
LIST = "admin:controls_control_changelist"


@pytest.fixture
def browser(client):
    client.force_login(make_representative("leia"))
    return client


def sent(browser, **fields):
    form = {"kind": "pause_claims", "market": "", "minutes": "30", "why": "The markets are mad."} | fields
    return browser.post(reverse(PULL), form, follow=True).content.decode()


def page(browser, control):
    return browser.get(reverse("admin:controls_control_change", args=(control.pk,))).content.decode()


def test_one_press_pauses_claims_and_every_page_says_so(browser):
    assert "Claims are paused" not in browser.get(reverse(LIST)).content.decode()
    assert browser.get(reverse(PULL)).status_code == 200
    assert "holds until" in sent(browser)
    control = Control.objects.get()
    assert (control.pulled_by, control.pulled_by_id) == ("leia", User.objects.get(username="leia").pk)
    for name in ("admin:index", "admin:loans_loan_changelist", LIST):
        text = browser.get(reverse(name)).content.decode()
        assert "Claims are paused until" in text
        assert "by leia: The markets are mad." in text


def test_the_banner_names_all_that_holds_and_goes_when_it_is_over(browser):
    controls = [pull_it("set_aside", market="mos_espa"), pull_it("no_new_orders", market="black_spire_outpost")]
    text = browser.get(reverse("admin:index")).content.decode()
    assert "The prices of Mos Espa, Tatooine are set aside until" in text
    assert "No new orders to Black Spire Outpost, Batuu until" in text
    with clock.driven_by(lambda: controls[-1].until):
        text = browser.get(reverse("admin:index")).content.decode()
    assert "set aside until" not in text
    assert "No new orders to" not in text


def test_what_takes_two_people_is_asked_for(browser):
    text = sent(browser, minutes="90")
    assert "for an hour at most" in text
    assert "Nothing is done yet" in text
    assert not Control.objects.exists()
    asked = Approval.objects.get()
    assert asked.arguments == {"kind": "pause_claims", "market": "", "minutes": 90, "why": "The markets are mad."}


def test_setting_the_higher_market_aside_is_asked_for_with_the_loans_that_it_claims(browser, loan, quote):
    breached = loan()
    quote("32")
    quote("31", market=Market.BLACK_SPIRE_OUTPOST)
    assert "Nothing is done yet" in sent(browser, kind="set_aside", market="mos_espa")
    assert breached.loan_id in Approval.objects.get().effect
    assert "holds until" in sent(browser, kind="set_aside", market="black_spire_outpost")
    assert Control.objects.get().market == "black_spire_outpost"


def test_an_error_is_shown_and_nothing_is_pulled(browser):
    assert "Name no market for this control." in sent(browser, market="mos_espa")
    assert "greater than or equal to 1" in sent(browser, minutes="0")
    assert "holds until" in sent(browser)
    assert "extend it" in sent(browser)
    assert Control.objects.count() == 1


def test_extending_and_ending_are_asked_for_and_nothing_is_done_yet(browser):
    control = pull_it()
    text = page(browser, control)
    for name, fields in (("extend", {"minutes": "90", "why": "so"}), ("end", {"why": "so"})):
        address = reverse(f"admin:controls_control_{name}", args=(control.pk,))
        assert address in text
        assert browser.get(address).status_code == 200
        assert browser.post(address, fields).status_code == 302
    assert set(Approval.objects.values_list("action", flat=True)) == {"controls.extend", "controls.end"}
    assert Control.objects.get().until == control.until


def test_what_is_over_has_no_buttons(browser):
    control = pull_it()
    with clock.driven_by(lambda: control.until):
        text = page(browser, control)
    assert reverse("admin:controls_control_end", args=(control.pk,)) not in text
    assert "over" in text


def test_the_page_of_a_pause_lists_the_loans_that_it_has_spared(browser, loan, quote, enqueued):
    spared = loan()
    control = pull_it()
    quote("25")
    evaluate.evaluate_loans()
    text = page(browser, control)
    assert "Loans that it has spared" in text
    assert spared.loan_id in text
    assert "25 GC a unit" in text


def test_who_may_not_pull_gets_no_form(client):
    clerk = User.objects.create_user("clerk", is_staff=True)
    client.force_login(clerk)
    assert client.get(reverse(PULL)).status_code == 403
    assert client.post(reverse(PULL), {"kind": "pause_claims"}).status_code == 403
    assert not Control.objects.exists()


def test_the_list_says_on_top_what_each_switch_says_now_who_pulled_it_and_why(browser):
    pulled = pull_it("no_new_orders", market="mos_espa")
    found = browser.get(reverse(LIST))
    assert [(one.title, one.market, one.control) for one in found.context["switches"]()] == [
        ("Pause claims", "the whole bank", None),
        ("Pause activations", "the whole bank", None),
        ("No new orders to a market", "Mos Espa, Tatooine", pulled),
        ("No new orders to a market", "Black Spire Outpost, Batuu", None),
        ("Set a market's prices aside", "Mos Espa, Tatooine", None),
        ("Set a market's prices aside", "Black Spire Outpost, Batuu", None),
    ]
    text = found.content.decode()
    table = text[text.index('id="switches"') : text.index("</table>")]
    assert pulled.why in table
    assert pulled.pulled_by in table
    assert table.count("not pulled") == 5


def test_what_holds_comes_before_what_is_over(browser):
    held = pull_it("pause_claims")
    over = pull_it("pause_activations")
    with history.cause("test", correlation_id="over"):
        Control.objects.filter(pk=over.pk).update(until=over.began_at)
    assert list(browser.get(reverse(LIST)).context["cl"].result_list) == [held, over]
