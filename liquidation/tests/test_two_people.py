"""Two people answer for an order: both see the same, and it is booked once, if it is still so."""

import json
from decimal import Decimal

import pytest

from coruscant.approvals.arguments import ArgumentsDoNotFit
from coruscant.approvals.ask import ask
from coruscant.approvals.decide import NotExecuted, agree
from coruscant.approvals.models import Approval
from coruscant.approvals.tests.support import log_in, representative
from liquidation import invariants, resolution
from liquidation.models import Liquidation, OrderAnswer, OrderStatus, TradeOrder
from liquidation.resolution import FiguresDoNotFit, OrderNotUnresolved, SecondPersonNeeded
from liquidation.sell import Outcome, sell
from liquidation.two_people import NOT_TRADED, TRADED
from loans.models import Loan
from pricing.markets import Market

pytestmark = pytest.mark.django_db

FAR = Decimal(94)  # for one unit, of which the market offered 31.25 GC


@pytest.fixture
def unresolved(claimed, markets, time_passes):
    liquidation = claimed("31.25")
    markets.price[Market.MOS_ESPA] = Decimal("31.25")
    markets.then(500, json.dumps({"success": False, "reason": "duplicate request"}))
    sell(liquidation.pk)
    time_passes(seconds=5)
    assert sell(liquidation.pk) is Outcome.WAITING
    return TradeOrder.objects.get(liquidation=liquidation)


@pytest.fixture
def ahsoka(db):
    return representative("ahsoka")


@pytest.fixture
def mace(db):
    return representative("mace")


@pytest.fixture
def traded(unresolved, ahsoka):
    """`traded()`: ahsoka asks for a trade of one unit for 94 GC to be booked."""

    def make(units="1", proceeds=FAR):
        figures = {"order_id": unresolved.pk, "units": Decimal(units), "proceeds": Decimal(proceeds)}
        return ask(TRADED, figures, why="They said so on the telephone.", asked_by=ahsoka)

    return make


@pytest.fixture
def not_traded(unresolved, ahsoka):
    return lambda: ask(NOT_TRADED, {"order_id": unresolved.pk}, why="Not in their statement.", asked_by=ahsoka)


def broken():
    return {finding.invariant.name: finding.examples for finding in invariants.check() if finding.violations}


def test_both_see_the_order_the_figures_and_what_the_market_has_said(traded, unresolved):
    said = traded().effect
    loan_id = unresolved.liquidation.loan.loan_id
    assert (
        f"Order {unresolved.request_id} of the loan {loan_id} at Mos Espa, Tatooine: 32 units, sized at 31.25 GC"
        in said
    )
    assert "1 units for 94 GC in total, 94 GC a unit." in said
    assert "Different answers of the market so far: 2." in said
    assert "duplicate request" in said


def test_figures_far_from_the_market_s_are_booked_when_a_second_person_agrees(traded, unresolved, mace, enqueued):
    approval = agree(traded().pk, request=log_in(mace))
    assert approval.note == "Booked: the market traded 1 units for 94 GC."
    unresolved.refresh_from_db()
    assert (unresolved.status, unresolved.units_traded, unresolved.proceeds) == ("filled", 1, FAR)
    entry = unresolved.history.latest("history_id")
    assert (entry.history_actor, entry.history_user_id) == ("ahsoka and mace", mace.pk)
    assert entry.history_change_reason == f"resolve-by-two {unresolved.request_id}"
    assert approval.history.latest("history_id").history_change_reason == f"agree approval-{approval.pk}"
    assert Liquidation.objects.get().status == "selling"
    assert broken() == {}


def test_that_nothing_was_traded_is_booked_when_a_second_person_agrees(not_traded, unresolved, mace, markets):
    assert "If it did trade, they are sold twice." in not_traded().effect
    agree(Approval.objects.get().pk, request=log_in(mace))
    unresolved.refresh_from_db()
    assert unresolved.status == OrderStatus.REFUSED
    assert broken() == {}
    assert sell(unresolved.liquidation_id) is Outcome.SETTLED


def test_the_sale_is_enqueued_once_both_have_agreed(traded, mace, enqueued, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        approval = traded()
    assert enqueued == []
    with django_capture_on_commit_callbacks(execute=True):
        agree(approval.pk, request=log_in(mace))
    assert enqueued[-1][0] == ("liquidation.sell", "liquidation.publish")


def test_with_four_eyes_nobody_resolves_an_order_alone(unresolved, not_traded, mace, settings, markets):
    settings.FOUR_EYES = True
    alone = {"order_id": unresolved.pk, "actor_name": "ahsoka", "actor_id": 7}
    with pytest.raises(SecondPersonNeeded):
        resolution.resolve_as_traded(units=Decimal(32), proceeds=Decimal(1000), **alone)
    with pytest.raises(SecondPersonNeeded):
        resolution.resolve_as_not_traded(**alone)
    unresolved.refresh_from_db()
    assert (unresolved.status, unresolved.liquidation.status) == ("unresolved", "waiting")
    agree(not_traded().pk, request=log_in(mace))
    unresolved.refresh_from_db()
    assert unresolved.status == OrderStatus.REFUSED


def test_an_answer_that_was_heard_meanwhile_makes_it_fail(traded, unresolved, mace):
    approval = traded()
    OrderAnswer.objects.create(
        order=unresolved, send=9, received_at=approval.asked_at, kind="traded", text="1 unit for 31 GC", stale=True
    )
    with pytest.raises(NotExecuted, match="heard too late to decide anything: traded: 1 unit for 31 GC"):
        agree(approval.pk, request=log_in(mace))
    unresolved.refresh_from_db()
    assert unresolved.status == OrderStatus.UNRESOLVED
    assert (Approval.objects.get().outcome, Loan.objects.get().collateral) == ("failed", 40)
    assert broken() == {}


def test_an_order_that_somebody_has_answered_for_meanwhile_is_left_alone(traded, not_traded, unresolved, mace):
    first, second = not_traded(), traded()
    agree(first.pk, request=log_in(mace))
    with pytest.raises(NotExecuted, match="no longer, waiting for a person"):
        agree(second.pk, request=log_in(mace))
    unresolved.refresh_from_db()
    assert (unresolved.status, unresolved.units_traded) == ("refused", None)
    assert broken() == {}
    with pytest.raises(OrderNotUnresolved):
        traded()


@pytest.mark.parametrize(("units", "proceeds"), [("33", "1000"), ("32.00000001", "1")])
def test_two_people_cannot_agree_on_what_no_order_can_have_traded(traded, units, proceeds):
    with pytest.raises(FiguresDoNotFit):
        traded(units, proceeds)


@pytest.mark.parametrize("arguments", [{}, {"order_id": "x", "units": "1", "proceeds": "1"}, {"order_id": 1}])
def test_arguments_that_do_not_fit_cannot_be_asked(ahsoka, arguments):
    with pytest.raises(ArgumentsDoNotFit):
        ask(TRADED, arguments, why="because", asked_by=ahsoka)


def test_what_claims_to_be_of_two_and_was_approved_by_nobody_is_found(unresolved):
    resolution.resolve_as_traded(
        order_id=unresolved.pk, units=Decimal(1), proceeds=FAR, actor_name="ahsoka", actor_id=7, two_people=True
    )
    assert broken() == {"I14b": (str(unresolved.pk),)}


def test_other_figures_than_were_approved_are_found(traded, unresolved, mace, monkeypatch):
    book = resolution.resolve_as_traded
    monkeypatch.setattr(
        resolution, "resolve_as_traded", lambda **sent: book(**(sent | {"proceeds": sent["proceeds"] - 1}))
    )
    agree(traded().pk, request=log_in(mace))
    assert broken() == {"I14b": (str(unresolved.pk), str(unresolved.pk))}


def test_what_was_approved_and_is_not_booked_is_found(traded, unresolved, mace, monkeypatch):
    monkeypatch.setattr(resolution, "resolve_as_traded", lambda **_sent: None)
    agree(traded().pk, request=log_in(mace))
    assert broken() == {"I14b": (str(unresolved.pk),)}


# --- an order that is still sent ---


@pytest.fixture
def unclear(claimed, markets, time_passes, settings):
    """An order that its market refuses under a new number each time; a send of it was lost."""
    settings.ORDER_SENDS_BEFORE_ATTENTION = 2
    liquidation = claimed("31.25")
    markets.then(500, refused("7f1"))
    for _ in range(2):
        assert sell(liquidation.pk) is Outcome.LATER
        time_passes(seconds=20)
    return TradeOrder.objects.get()


def refused(number, reason="no buyers"):
    return json.dumps({"success": False, "reason": f"{reason}, see {number}"})


def test_both_are_told_that_a_send_may_be_under_way(unclear, unresolved, ahsoka):
    why = {"why": "by letter", "asked_by": ahsoka}
    figures = {"order_id": unclear.pk, "units": Decimal(1), "proceeds": FAR}
    under_way = "a send may be under way at that moment"
    assert under_way in ask(TRADED, figures, **why).effect
    not_traded = ask(NOT_TRADED, {"order_id": unclear.pk}, **why).effect
    assert under_way in not_traded
    assert "if a send that is under way trades, they are, too" in not_traded
    assert under_way not in ask(NOT_TRADED, {"order_id": unresolved.pk}, **why).effect


def test_an_answer_that_the_market_repeats_meanwhile_does_not_stop_them(unclear, ahsoka, mace, markets):
    """It is sent every few seconds, which no second person can outrun."""
    approval = ask(NOT_TRADED, {"order_id": unclear.pk}, why="by letter", asked_by=ahsoka)
    markets.then(refused("7f2"))
    assert sell(unclear.liquidation_id) is Outcome.LATER
    assert unclear.answers.count() == 3
    agree(approval.pk, request=log_in(mace))
    unclear.refresh_from_db()
    assert unclear.status == OrderStatus.REFUSED
    assert broken() == {}


@pytest.mark.parametrize("reason", ["partly done", "already traded"])
def test_another_answer_stops_them(reason, unclear, ahsoka, mace, markets):
    approval = ask(NOT_TRADED, {"order_id": unclear.pk}, why="by letter", asked_by=ahsoka)
    markets.then(refused("7f2", reason))
    sell(unclear.liquidation_id)
    with pytest.raises(NotExecuted):
        agree(approval.pk, request=log_in(mace))
    unclear.refresh_from_db()
    assert unclear.status != OrderStatus.REFUSED
    assert broken() == {}
