"""Two people move loans to other terms: both are shown what would be called and sold, and no more is."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from coruscant.approvals.ask import ask
from coruscant.approvals.decide import NotExecuted, agree
from coruscant.approvals.models import Approval
from coruscant.approvals.tests.support import log_in
from liquidation import evaluate, invariants, moves, moves_two_people
from liquidation.models import Liquidation
from liquidation.moves import NothingToMove, PricesNotCurrent
from loans import terms_two_people
from loans.models import Loan, LoanTerms, MarginCall

pytestmark = pytest.mark.django_db

STRICTER = {
    "activation_ltv": Decimal("0.46"), "margin_call_ltv": Decimal("0.65"), "margin_call_clear_ltv": Decimal("0.55"),
    "liquidation_ltv": Decimal("0.75"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def on_a_slow_machine(monkeypatch):
    monkeypatch.setattr(moves, "FEED_MAY_LAG", timedelta(seconds=50))


@pytest.fixture(autouse=True)
def nothing_is_sent(enqueued):
    return enqueued


@pytest.fixture(autouse=True)
def stricter(two_agree):
    two_agree(terms_two_people.MAKE, **STRICTER)


@pytest.fixture
def leia(stricter):
    return User.objects.get(username="leia")


@pytest.fixture
def han(stricter):
    return User.objects.get(username="han")


def ask_to_move(leia):
    return ask(moves_two_people.MOVE, {"of": 1, "to": 2}, why="The board wants it.", asked_by=leia)


def test_both_are_shown_which_loans_would_be_sold_and_called(loan, quote, leia, monkeypatch):
    monkeypatch.setattr(moves_two_people, "SHOWN", 1)
    worst, _bad, called, _safe = (loan(collateral=units) for units in ("37", "37.01", "40", "60"))
    quote("36")
    approval = ask_to_move(leia)
    assert approval.effect == (
        "4 loans that are new or active get terms 2: activation at or below 46 %, margin call at or above 65 %, cleared"
        " below 55 %, liquidation at or above 75 %.\n"
        "Now they are under terms 1: activation at or below 50 %, margin call at or above 70 %, cleared below 60 %,"
        " liquidation at or above 80 %.\n"
        "Prices up to the moment of the agreement are evaluated under terms 1 first, and never under terms 2.\n"
        "At 36 GC a unit, the best price when this was asked, terms 2 would\n"
        f"- sell 2 of them: {worst.loan_id}, and 1 more\n"
        f"- call 1 of them: {called.loan_id}\n"
        "If more would be sold or called by then, nothing is done."
    )


def test_agreed_it_is_done_although_the_price_has_moved_and_what_holds_now_is_sold(loan, quote, leia, han):
    loan(collateral="37")
    quote("36")
    approval = ask_to_move(leia)
    quote("35.9")
    done = agree(approval.pk, request=log_in(han))
    assert done.note == "1 loans are under the terms 2 now."
    assert Loan.objects.get().history.latest().history_actor == "leia and han"
    evaluate.evaluate_loans()
    assert Liquidation.objects.get().terms_id == 2
    assert not [finding for finding in invariants.check(at_every_moment=True) if finding.violations]


def test_nothing_is_done_if_more_would_be_sold_than_both_were_shown(loan, quote, leia, han):
    loan(collateral="37")
    loan(collateral="38")
    quote("36")
    approval = ask_to_move(leia)
    quote("34.5")
    with pytest.raises(NotExecuted, match="2 loans would be sold and 0 called, more than the 1 and 1 that were agreed"):
        agree(approval.pk, request=log_in(han))
    assert not Loan.objects.exclude(terms=1).exists()
    assert not MarginCall.objects.exists()
    assert Approval.objects.get(pk=approval.pk).outcome == "failed"


def test_it_cannot_be_asked_without_loans(quote, leia):
    quote("36")
    with pytest.raises(NothingToMove):
        ask_to_move(leia)


def test_it_cannot_be_asked_without_a_price(loan, leia):
    loan()
    with pytest.raises(PricesNotCurrent):
        ask_to_move(leia)


def test_the_command_line_can_ask(loan, quote, leia, capsys):
    loan(collateral="37")
    quote("36")
    call_command("ask_approval", "liquidation.move_loans", '{"of": 1, "to": 2}', user="leia", why="The board.")
    assert "- sell 1 of them" in capsys.readouterr().out
    assert Approval.objects.latest("pk").on_command_line
    assert LoanTerms.objects.count() == 2
