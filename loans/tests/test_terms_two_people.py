"""Two people make new terms: both read them in full, and a third version in between makes the approval fail."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from coruscant.approvals.arguments import ArgumentsDoNotFit
from coruscant.approvals.ask import ask
from coruscant.approvals.decide import NotExecuted, agree
from coruscant.approvals.models import Approval
from coruscant.approvals.people import NotPermitted
from coruscant.approvals.tests.support import log_in, make_old, representative
from loans import terms
from loans.models import LoanTerms
from loans.terms import NothingNew, TermsDoNotFit
from loans.terms_two_people import MAKE

pytestmark = pytest.mark.django_db

LTVS = {
    "activation_ltv": "0.46", "margin_call_ltv": "0.65", "margin_call_clear_ltv": "0.55", "liquidation_ltv": "0.75",
}  # fmt: skip


@pytest.fixture
def leia(db):
    return representative("leia")


@pytest.fixture
def han(db):
    return representative("han")


def asked(leia, **changed):
    return ask(MAKE, LTVS | changed, why="The board wants it.", asked_by=leia)


def test_new_terms_are_made_when_a_second_person_agrees(leia, han):
    approval = asked(leia)
    assert approval.effect == (
        "Loans that are opened from the moment of the agreement on get terms 2: activation at or below 46 %, margin"
        " call at or above 65 %, cleared below 55 %, liquidation at or above 75 %.\n"
        "Until then they get terms 1: activation at or below 50 %, margin call at or above 70 %, cleared below 60 %,"
        " liquidation at or above 80 %. Loans that are open by then keep their terms.\n"
        "Set ACTIVATION_LTV=0.46, WARNING_LTV=0.65, WARNING_CLEAR_LTV=0.55, LIQUIDATION_LTV=0.75 afterwards: until then"
        " the service says that they differ, and does not migrate."
    )
    assert LoanTerms.objects.count() == 1
    done = agree(approval.pk, request=log_in(han))
    assert done.note == "Loans that are opened from now on get terms 2."
    made = terms.newest()
    assert (made.version, made.asked_by, made.agreed_by) == (2, "leia", "han")
    assert made.liquidation_ltv == Decimal("0.75")


def test_other_terms_in_between_make_it_fail(leia, han):
    first, second = asked(leia), asked(leia, liquidation_ltv="0.76")
    agree(second.pk, request=log_in(han))
    with pytest.raises(NotExecuted, match="get terms 3"):
        agree(first.pk, request=log_in(han))
    assert LoanTerms.objects.count() == 2


def test_terms_that_cannot_be_are_not_asked_for(leia):
    with pytest.raises(TermsDoNotFit):
        asked(leia, activation_ltv="0.8")
    with pytest.raises(NothingNew):
        asked(leia, activation_ltv="0.5", margin_call_ltv="0.7", margin_call_clear_ltv="0.6", liquidation_ltv="0.80")
    with pytest.raises(ArgumentsDoNotFit):
        asked(leia, liquidation_ltv="80 %")
    assert not Approval.objects.exists()


def test_it_takes_a_permission():
    with pytest.raises(NotPermitted, match="the permission loans"):
        asked(make_old(User.objects.create_user("jabba")))


def test_the_command_line_can_ask(leia, capsys):
    ltvs = (
        '{"activation_ltv": "0.5", "margin_call_ltv": "0.7", "margin_call_clear_ltv": "0.6", "liquidation_ltv": "0.75"}'
    )
    call_command("ask_approval", MAKE, ltvs, user="leia", why="The board.")
    assert "get terms 2" in capsys.readouterr().out
