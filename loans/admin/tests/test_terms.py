"""Loan terms in the admin: seen by all, made and moved to only by asking, and a banner while the settings differ."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission

from coruscant import history
from coruscant.admin.tests.bank import make_loan, make_representative, set_price
from coruscant.approvals.models import Approval
from loans.models import Loan, LoanTerms
from loans.tests.factories import make_terms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

LIST = "/admin/loans/loanterms/"
MAKE = f"{LIST}make-terms/"
SENT = {
    "activation_ltv": "0.46", "margin_call_ltv": "0.65", "margin_call_clear_ltv": "0.55", "liquidation_ltv": "0.75",
    "why": "The board wants it.",
}  # fmt: skip


@pytest.fixture
def person():
    return make_representative("ahsoka")


@pytest.fixture
def browser(client, person):
    client.force_login(person)
    return client


def test_all_versions_are_listed_with_who_made_them(browser, settings):
    make_terms()
    text = browser.get(LIST).content.decode()
    assert "Version 1" in text
    assert "made of the settings" in text
    assert "75.00 %" in text
    assert "leia" in text
    assert browser.get(f"{LIST}2/change/").status_code == 200


def test_a_loan_shows_its_terms(browser):
    with history.cause("test", correlation_id="loan"):
        made = make_loan("L-1")
    text = browser.get(f"/admin/loans/loan/{made.pk}/change/").content.decode()
    assert "terms 1" in text
    assert "liquidation at or above 80 %" in text


def test_making_terms_only_asks(browser):
    assert "The newest terms 1 are" in browser.get(MAKE).content.decode()
    response = browser.post(MAKE, SENT, follow=True)
    assert "somebody else has to agree" in [str(message) for message in response.context["messages"]][-1]
    approval = Approval.objects.get()
    assert (approval.action, approval.outcome, approval.arguments["liquidation_ltv"]) == (
        "loans.make_terms", "asked", "0.75",
    )  # fmt: skip
    assert LoanTerms.objects.count() == 1


def test_terms_that_cannot_be_are_refused_on_the_page(browser):
    response = browser.post(MAKE, SENT | {"activation_ltv": "0.9"})
    assert "must be below the liquidation LTV" in response.content.decode()
    assert not Approval.objects.exists()


def test_moving_loans_only_asks_and_says_what_it_would_do(browser):
    set_price("33")
    make_terms()
    with history.cause("test", correlation_id="loan"):
        made = make_loan("L-1")
    page = f"{LIST}2/move-loans-here/"
    assert browser.get(page).status_code == 200
    browser.post(page, {"of": "1", "why": "The board wants it."})
    approval = Approval.objects.get()
    assert "- sell 1 of them: L-1" in approval.effect
    assert Loan.objects.get(pk=made.pk).terms_id == 1


def test_a_banner_says_that_the_settings_differ(browser, settings):
    words = "The settings differ from the newest terms"
    assert words not in browser.get(LIST).content.decode()
    settings.LIQUIDATION_LTV = Decimal("0.85")
    assert words in browser.get(LIST).content.decode()


def test_asking_takes_the_permission(browser, person):
    person.groups.clear()
    person.user_permissions.set(Permission.objects.filter(codename="view_loanterms"))
    assert browser.get(LIST).status_code == 200
    assert browser.get(MAKE).status_code == 403
    assert browser.post(MAKE, SENT).status_code == 403
    assert not Approval.objects.exists()
