"""Moving loans to other terms: what they are due under the old ones comes first, and older prices do not apply."""

# mypy: disable-error-code="comparison-overlap"

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from coruscant import clock, failpoints, history
from coruscant.controls.tests.support import pull_it
from coruscant.restores.holds import RestoreUnderWay
from coruscant.restores.models import Restore
from liquidation import evaluate, moves
from liquidation.conftest import point_now
from liquidation.models import Liquidation
from liquidation.moves import MoreThanAgreed, Move, NoSuchTerms, NothingToMove, PricesNotCurrent
from loans.models import Loan, LoanStatus, MarginCall
from loans.tests.factories import LoanFactory, make_terms
from pricing.markets import Market
from pricing.models import Feed, PriceQuote

pytestmark = pytest.mark.django_db
ALL = 2**62


@pytest.fixture(autouse=True)
def stricter(db):
    """Loans of 1000 GC against 40 units are sold at 33.33 GC a unit under terms 2, at 31.25 under the first."""
    return make_terms()


@pytest.fixture(autouse=True)
def on_a_slow_machine(monkeypatch):
    monkeypatch.setattr(moves, "FEED_MAY_LAG", timedelta(seconds=50))


@pytest.fixture(autouse=True)
def nothing_is_sent(enqueued):
    return enqueued


def move(*, of=1, to=2, most_sold=0, most_called=0):
    planned = Move(of, to, ALL)
    moves.lock(planned)
    return moves.carry_out(planned, most_sold=most_sold, most_called=most_called)


def test_open_loans_are_moved_and_prices_apply_to_the_active_ones_from_then_on(loan, quote):
    quote("50")
    active, new = loan(), LoanFactory()
    sold = LoanFactory(active=True, status="liquidating")
    before = clock.now()
    assert move() == 2
    active.refresh_from_db()
    assert before <= active.prices_apply_from <= clock.now()
    assert dict(Loan.objects.values_list("pk", "terms")) == {active.pk: 2, new.pk: 2, sold.pk: 1}
    assert Loan.objects.get(pk=new.pk).prices_apply_from is None
    entry = active.history.latest()
    assert (entry.terms_id, entry.history_change_reason) == (2, "move_loans terms-1-to-2")


def test_the_price_that_holds_claims_and_calls_under_the_new_terms(loan, quote):
    to_sell, to_call, safe = loan(), loan(collateral="42"), loan(collateral="60")
    quote("33")
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    assert MarginCall.objects.filter(terms=1).count() == 2, "both were called under the first terms"
    assert move(most_sold=1) == 3
    evaluate.evaluate_loans()
    claimed = Liquidation.objects.get()
    assert (claimed.loan_id, claimed.terms_id, claimed.price) == (to_sell.pk, 2, 33)
    assert set(Loan.objects.filter(status="active")) == {to_call, safe}


def test_a_price_from_before_the_move_never_judges_under_the_new_terms(loan, quote):
    """33 breaches the loan under terms 2, and was over before they were its terms."""
    loan()
    quote("33", ago=2)
    quote("45", ago=1)
    move()
    quote("46")
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()


def test_a_late_price_from_before_the_move_does_not_judge_under_the_new_terms_either(loan, quote):
    loan()
    quote("50", ago=3)
    move()
    quote("33", ago=2)
    quote("50", ago=1)
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()


def test_a_dip_from_before_the_move_is_judged_under_the_old_terms_first(loan, quote):
    """31 breaches the loan under the first terms, and was over when they were changed; terms 3 would spare it."""
    make_terms(3, liquidation="0.95", call="0.9")
    loan()
    spared = loan(collateral="50")
    quote("31", ago=2)
    quote("42", ago=1)
    assert move(to=3) == 1
    claimed = Liquidation.objects.get()
    assert (claimed.terms_id, claimed.price, claimed.enqueued_at) == (1, 31, None)
    assert Loan.objects.get(terms=3) == spared
    assert claimed.history.get().history_actor == "system"
    assert PriceQuote.objects.filter(evaluated_at=None).count() == 2, "the next evaluation repeats the window"
    assert evaluate.evaluate_loans()
    assert Liquidation.objects.count() == 1


def test_nothing_is_moved_while_a_jump_is_pending(loan, quote):
    """Once it is settled, the time in which it was pending is judged, and moved loans would escape that."""
    loan()
    quote("50", ago=2)
    quote("20", ago=1)
    with pytest.raises(PricesNotCurrent, match="not confirmed yet"):
        move()
    quote("20")
    with pytest.raises(NothingToMove):
        move()  # it is believed now, and sells the loan
    assert Liquidation.objects.exists()


def test_a_price_that_outlasted_a_pause_is_judged_before_the_move(loan, quote, time_passes):
    """Its quote was evaluated in the pause, and it has a successor by the move."""
    make_terms(3, liquidation="0.95", call="0.9")
    breached = loan()
    spared = loan(collateral="60")
    pull_it()
    time_passes(minutes=4, seconds=59)
    quote("28")
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    time_passes(seconds=2)
    quote("34")
    assert move(to=3) == 1
    assert Liquidation.objects.get().loan_id == breached.pk
    assert Loan.objects.get(terms=3) == spared


def test_what_is_breached_now_is_sold_under_the_old_terms_and_not_moved_away(loan, quote):
    make_terms(3, liquidation="0.95", call="0.9")
    breached = loan()
    quote("31")
    with pytest.raises(NothingToMove):
        move(to=3)
    assert Liquidation.objects.get().loan_id == breached.pk


@pytest.mark.parametrize(("units", "most"), [("37", (0, 1)), ("40", (0, 0))])
def test_nothing_is_moved_if_more_would_be_sold_or_called_than_was_agreed(loan, quote, units, most):
    """At 36 GC a unit LTV is 75.1 and 69.4 %."""
    made = loan(collateral=units)
    quote("36")
    with pytest.raises(MoreThanAgreed, match="loans would be sold"), transaction.atomic():
        move(most_sold=most[0], most_called=most[1])
    made.refresh_from_db()
    assert made.terms_id == 1


def test_fewer_may_be_sold_and_called_instead(loan, quote):
    loan(collateral="42")
    quote("36")  # 66.1 %: it would be called
    assert move(most_sold=1) == 1


def test_a_prospect_names_the_worst_first_and_calls_nobody_twice(loan, quote):
    quote("36")
    worst, bad, called, also_called = (loan(collateral=units) for units in ("37", "37.01", "40", "41"))
    evaluate.evaluate_loans()
    assert set(MarginCall.objects.values_list("loan", flat=True)) == {worst.pk, bad.pk}
    found = moves.prospect(Move(1, 2, ALL), Decimal(36))
    assert found.sold == (worst.loan_id, bad.loan_id)
    assert found.called == (called.loan_id, also_called.loan_id)


def test_moving_goes_up_to_the_newest_loan_at_the_time_of_asking(loan, quote, monkeypatch):
    quote("50")
    first, second = loan(), loan()
    planned, count = moves.planned(1, 2)
    assert (planned, count) == (Move(1, 2, second.pk), 2)
    later = loan()
    assert set(planned.loans) == {first, second}
    monkeypatch.setattr(moves, "MOST", 1)
    assert moves.planned(1, 2) == (Move(1, 2, first.pk), 1)
    assert later.terms_id == 1


@pytest.mark.parametrize(("of", "to"), [(1, 1), (1, 9), (9, 1)])
def test_loans_are_moved_between_terms_that_there_are(of, to):
    with pytest.raises(NoSuchTerms):
        moves.planned(of, to)


def test_without_loans_there_is_nothing_to_move(quote):
    LoanFactory(active=True, status="liquidated")
    with pytest.raises(NothingToMove):
        moves.planned(1, 2)


def test_nothing_is_moved_without_a_price(loan):
    loan()
    with pytest.raises(PricesNotCurrent, match="no live price"):
        move()


def test_nothing_is_moved_while_a_feed_is_behind(loan, quote):
    loan()
    quote("50")
    quote("50", ago=51, market=Market.BLACK_SPIRE_OUTPOST)
    Feed.objects.filter(market=Market.BLACK_SPIRE_OUTPOST).update(drained_to=clock.now() - timedelta(seconds=51))
    with pytest.raises(PricesNotCurrent, match="Black Spire Outpost, Batuu is behind"):
        move()


def test_nothing_is_moved_while_a_restore_holds_claims(loan, quote):
    loan()
    quote("50")
    with history.cause("test", correlation_id="restore"):
        Restore.objects.create(since=clock.now(), begun_at=clock.now(), begun_by="yoda")
    with pytest.raises(RestoreUnderWay):
        move()


def test_an_evaluation_in_the_middle_of_its_window_leaves_the_rest_to_the_next(loan, quote):
    """It had read the old terms."""
    quote("30")
    for _ in range(3):
        loan()
    moved = []

    def move_after_the_first_batch(name):
        if name == "evaluate.batch_committed" and not moved:
            moved.append(Liquidation.objects.count())
            with pytest.raises(NothingToMove):
                move()

    failpoints.arm(move_after_the_first_batch)
    try:
        assert not evaluate.evaluate_loans(), "another one did what was left"
    finally:
        failpoints.arm(None)
    assert moved == [3]
    assert point_now().price == 30
    assert not Loan.objects.filter(status=LoanStatus.ACTIVE).exists()
