"""What is held after a restore was begun."""

import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.db.models import F
from structlog.testing import capture_logs

from coruscant import clock, history
from coruscant.admin.figures import instant
from coruscant.restores import holds, identity
from coruscant.restores.models import Restore
from liquidation import invariants, publish, recover, restored
from liquidation.evaluate import evaluate_loans
from liquidation.models import Liquidation, LiquidationEvent, LiquidationStatus, OrderAnswer, OrderStatus, TradeOrder
from liquidation.reconciliation.two_people import NOTHING_WAS_LOST, RELEASE_CLAIMS, RELEASE_SALE
from liquidation.restored import NotHeld, NothingReplaced, SinceInTheFuture
from liquidation.sell import Outcome, sell
from loans.models import Loan, LoanStatus
from pricing.markets import Market
from pricing.models import PriceQuote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_cache", "enqueued", "asked_anew")]


def begin(**arguments):
    return restored.begin(**{"since": clock.now() - timedelta(minutes=5), "by": "Leia", "insist": True} | arguments)


def books_are_right():
    broken = [finding for finding in invariants.check() if finding.violations]
    assert not broken, broken


def test_a_task_for_a_sale_whose_claim_was_lost_does_nothing(claimed):
    """Redis has the tasks of before."""
    lost = claimed("25").pk + 1
    with capture_logs() as logged:
        assert sell(lost) is Outcome.HELD
    assert "sale_of_an_unknown_claim" in [line["event"] for line in logged]


def test_after_a_restore_every_unsettled_sale_and_unsent_event_is_held(claimed, loan, markets, enqueued):
    settled_and_sent, settled, unsettled = (claimed("25").pk for _ in range(3))
    for pk in (settled_and_sent, settled):
        sell(pk)
    with history.cause("publish", correlation_id="test"):
        LiquidationEvent.objects.filter(liquidation=settled_and_sent).update(sent_at=clock.now())
    restore = begin(reason="a disk was lost")
    held = Liquidation.objects.filter(held_by=restore).values_list("pk", flat=True)
    assert set(held) == {settled, unsettled}
    markets.sent.clear()
    assert sell(unsettled) is Outcome.HELD
    assert publish.publish(settled) is False
    assert recover.recover() == 0
    assert not markets.sent
    books_are_right()


def test_after_a_restore_claims_wait_until_they_are_released_and_dips_in_between_claim_nobody(two_agree, loan, quote):
    loan()
    restore = begin()
    quote("25")
    evaluate_loans()
    quote("50")
    evaluate_loans()
    assert Loan.objects.get().status == LoanStatus.ACTIVE
    two_agree(RELEASE_CLAIMS, restore_id=restore.pk)
    evaluate_loans()
    assert Loan.objects.get().status == LoanStatus.ACTIVE, "the dip was while claims were held"
    quote("25")
    evaluate_loans()
    assert Loan.objects.get().status == LoanStatus.LIQUIDATING
    with pytest.raises(NotHeld):
        restored.release_claims(restore.pk, by="Leia and Han")
    books_are_right()


def test_a_dip_during_the_hold_claims_nobody_although_it_is_evaluated_after_the_release(two_agree, loan, quote):
    loan()
    restore = begin()
    quote("25")
    quote("50")
    two_agree(RELEASE_CLAIMS, restore_id=restore.pk)
    evaluate_loans()
    assert not PriceQuote.objects.filter(evaluated_at=None).exists()
    assert Loan.objects.get().status == LoanStatus.ACTIVE


def test_a_price_that_outlasted_the_hold_claims_although_no_evaluation_saw_it_then(two_agree, loan, quote):
    """Its quote was evaluated in the hold, and by the next evaluation it has a successor."""
    loan()
    restore = begin()
    quote("25")
    evaluate_loans()
    assert Loan.objects.get().status == LoanStatus.ACTIVE
    two_agree(RELEASE_CLAIMS, restore_id=restore.pk)
    quote("50")
    evaluate_loans()
    restore.refresh_from_db()
    claimed = Liquidation.objects.get()
    assert (claimed.price, claimed.price_at) == (25, restore.claims_released_at)


def test_a_loan_claimed_before_the_restore_is_compared_is_not_sold(two_agree, loan, quote, markets):
    """Its orders may be among the lost ones: the books called it active only because the claim was lost, too."""
    loan()
    restore = begin()
    two_agree(RELEASE_CLAIMS, restore_id=restore.pk)
    quote("25")
    evaluate_loans()
    liquidation = Liquidation.objects.get()
    assert (liquidation.held_by, liquidation.orders_may_be_missing) == (restore, True)
    assert sell(liquidation.pk) is Outcome.HELD
    assert not markets.sent


def test_no_refusal_is_believed_of_an_order_that_was_pending_at_the_restore(two_agree, claimed, markets):
    """Its sends are counted anew: what seems to be the first may be the fourth."""
    liquidation = claimed("25")
    markets.then(KeyboardInterrupt())  # the worker dies
    with pytest.raises(KeyboardInterrupt):
        sell(liquidation.pk)
    TradeOrder.objects.update(sends=0, due_at=clock.now())  # what is restored is older than the send
    Liquidation.objects.update(leased_until=None)
    begin()
    two_agree(RELEASE_SALE, liquidation_id=liquidation.pk)
    markets.then(*["refuse"] * 8)
    for _ in range(4):
        TradeOrder.objects.update(due_at=clock.now())
        assert sell(liquidation.pk) is Outcome.LATER
    (order,) = TradeOrder.objects.all()
    assert (order.status, order.sends) == (OrderStatus.UNKNOWN, 4)


def test_no_refusal_is_believed_of_an_order_that_a_released_sale_makes_anew(two_agree, claimed, markets):
    """The order of this id may have been lost with the restore, after it had traded."""
    liquidation = claimed("25")
    begin()
    two_agree(RELEASE_SALE, liquidation_id=liquidation.pk)
    markets.then(*["refuse"] * 8)
    for _ in range(4):
        TradeOrder.objects.update(due_at=clock.now())
        assert sell(liquidation.pk) is Outcome.LATER
    assert TradeOrder.objects.get().status == OrderStatus.UNKNOWN
    markets._next.clear()
    TradeOrder.objects.update(due_at=clock.now())
    assert sell(liquidation.pk) is Outcome.SETTLED
    books_are_right()


def test_an_answer_that_comes_after_the_restore_was_begun_decides_nothing(claimed, markets):
    liquidation = claimed("25")
    markets.then(lambda market, order: begin() and markets.trade(market, order))
    assert sell(liquidation.pk) is Outcome.BUSY
    assert (TradeOrder.objects.get().status, OrderAnswer.objects.get().stale) == (OrderStatus.OPEN, True)


def test_late_answers_to_a_send_whose_number_is_given_again_are_kept_beside_the_new_one(
    two_agree, claimed, markets, replace_database, time_passes, settings
):
    liquidation = claimed("25")

    def forgotten(and_then):
        def play(market, order):
            replace_database()
            time_passes(seconds=settings.LEASE_SECONDS + 1)
            TradeOrder.objects.update(sends=0, due_at=clock.now())
            begin()
            two_agree(RELEASE_SALE, liquidation_id=liquidation.pk)
            markets.then(and_then)
            sell(liquidation.pk)
            return markets.trade(market, order)

        return play

    markets.then(forgotten(forgotten("refuse")))
    with capture_logs() as logged:
        assert sell(liquidation.pk) is Outcome.BUSY
    order = TradeOrder.objects.get()
    assert list(order.answers.order_by("stale").values_list("send", "kind", "stale")) == [
        (1, "refusal", False),
        (1, "success", True),
    ]
    assert [line["text"] for line in logged if line["event"] == "stale_answer_not_kept"] == [
        order.answers.get(stale=True).text
    ]
    assert order.status == OrderStatus.UNKNOWN


def test_a_restore_begins_after_the_last_send_was_counted(claimed):
    """Or statements that reach as far as is asked for need not show what that send traded."""
    liquidation = claimed("25")

    def counted():
        with history.cause("sell", correlation_id="test"), transaction.atomic():
            Liquidation.objects.filter(pk=liquidation.pk).update(fence=F("fence") + 1)
            beginning.start()
            beginning.join(0.5)
            return clock.now()

    def begin_it():
        begin()
        connections.close_all()

    beginning = threading.Thread(target=begin_it)
    at = counted()
    beginning.join()
    assert Restore.objects.get().begun_at > at


def test_a_person_releases_one_sale_which_goes_on_at_once_and_no_other(two_agree, claimed, markets, enqueued):
    first, second = claimed("25").pk, claimed("25").pk
    begin()
    enqueued.clear()
    two_agree(RELEASE_SALE, liquidation_id=first)
    assert [arguments for _task, arguments in enqueued] == [{"liquidation_id": first}]
    assert sell(first) is Outcome.SETTLED
    assert sell(second) is Outcome.HELD
    with pytest.raises(NotHeld):
        restored.release_sale(first, by="Leia and Han")


def test_beginning_it_twice_extends_the_restore_that_is_under_way(two_agree, claimed):
    claimed("25")
    now = clock.now()
    first = begin(since=now - timedelta(minutes=5), reason="a disk")
    two_agree(RELEASE_CLAIMS, restore_id=first.pk)
    again = begin(since=now - timedelta(minutes=9), reason="a disk")
    begin(since=now - timedelta(minutes=1), reason="another")
    assert again == first
    restore = Restore.objects.get()
    assert (restore.since, restore.reason) == (now - timedelta(minutes=9), "a disk; another")
    assert restore.begun_at > first.begun_at
    assert restore.claims_released_at is None
    books_are_right()


def test_a_restore_is_begun_only_of_a_replaced_database_or_if_a_person_insists(replace_database):
    with pytest.raises(NothingReplaced):
        begin(insist=False)
    with pytest.raises(SinceInTheFuture):
        begin(since=clock.now() + timedelta(minutes=1))
    assert not Restore.objects.exists()
    replace_database()
    begin(insist=False)
    assert identity.accepted()
    assert Restore.objects.count() == 1


@pytest.fixture
def behind(claimed, markets):
    """A sale in a database that was put back, with the same identity: it lacks the last send, which Redis remembers."""
    liquidation = claimed("25")
    markets.then(KeyboardInterrupt())  # the worker dies
    with pytest.raises(KeyboardInterrupt):
        sell(liquidation.pk)
    TradeOrder.objects.update(sends=0, due_at=clock.now())
    Liquidation.objects.update(leased_until=None)
    identity.forget()
    assert sell(liquidation.pk) is Outcome.HELD
    return liquidation


def test_books_that_lack_a_send_are_accepted_once(behind, two_agree, markets):
    """What Redis remembers of the time that was lost must not hold them again."""
    begin(insist=False)
    identity.forget()
    assert identity.accepted()
    two_agree(RELEASE_SALE, liquidation_id=behind.pk)
    assert sell(behind.pk) is Outcome.SETTLED


def test_so_are_books_of_which_two_people_say_that_nothing_was_lost(behind, two_agree, markets):
    two_agree(NOTHING_WAS_LOST)
    identity.forget()
    assert identity.accepted()
    assert sell(behind.pk) is Outcome.SETTLED


def test_an_instant_after_the_last_evaluation_is_not_believed(quote, replace_database):
    """A person who errs would need statements of too short a time."""
    evaluated = quote("50", ago=600, evaluated=True).evaluated_at
    quote("50", ago=60)  # received since, and not evaluated, as nothing is
    late = quote("50", ago=300)  # nor is what came too late, which is marked when it is received
    PriceQuote.objects.filter(pk=late.pk).update(too_late=True, evaluated_at=clock.now())
    replace_database()
    assert begin(insist=False, since=clock.now()).since == evaluated
    earlier = evaluated - timedelta(minutes=1)
    replace_database()
    assert begin(insist=False, since=earlier).since == earlier


def test_a_database_that_has_lost_nothing_is_accepted_without_any_hold(two_agree, claimed, markets, replace_database):
    liquidation = claimed("25")
    with pytest.raises(NothingReplaced):
        restored.nothing_was_lost(by="Leia and Han")
    replace_database()
    two_agree(NOTHING_WAS_LOST)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert not Restore.objects.exists()


def test_the_command_begins_a_restore_and_says_what_comes_next(claimed, replace_database):
    claimed("25")
    replace_database()
    out = StringIO()
    call_command("after_restore", since=clock.now(), user="Leia", stdout=out)
    assert "1 sales and events are held" in out.getvalue()
    first, last = map(instant, holds.statements_cover(Restore.objects.get()))
    assert f"must reach from {first} until {last}" in out.getvalue()
    assert Restore.objects.get().begun_by == "Leia"
    with pytest.raises(CommandError, match="the accepted one"):
        call_command("after_restore", since=clock.now(), user="Leia")
    with pytest.raises(CommandError, match="offset"):
        call_command("after_restore", "--since", "2026-11-26T10:00:00")
    assert Restore.objects.count() == 1


def test_an_order_is_numbered_at_its_market_and_never_reuses_a_number(claimed, markets):
    liquidation = claimed("25", amount="8500", collateral="400")
    markets.then("half", "half")
    sell(liquidation.pk)
    numbers = {}
    for order in TradeOrder.objects.order_by("sequence"):
        assert order.number == numbers.get(order.market, 0) + 1
        numbers[order.market] = order.number
    assert sum(numbers.values()) >= 2
    assert set(numbers) <= set(Market)
    assert Liquidation.objects.get().status == LiquidationStatus.SETTLED
