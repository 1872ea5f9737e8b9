"""What a restore holds goes on when statements of all markets show what it may have forgotten, and not before."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from coruscant import clock, failpoints, history
from coruscant.restores.models import Restore
from liquidation import invariants, restored
from liquidation.evaluate import evaluate_loans
from liquidation.models import Liquidation, OrderStatus, TradeOrder
from liquidation.reconciliation.models import ReconciliationDifference
from liquidation.reconciliation.tests.test_compare import line
from liquidation.reconciliation.two_people import EXPLAIN, RELEASE_CLAIMS, RELEASE_SALE
from liquidation.sell import Outcome, sell
from pricing.markets import Market

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_cache", "enqueued")]

BOTH = tuple(Market)


def begin(minutes=5):
    return restored.begin(since=clock.now() - timedelta(minutes=minutes), by="Leia", insist=True)


def is_held():
    return Liquidation.objects.filter(held_by__isnull=False).exists()


def books_are_right():
    broken = [finding for finding in invariants.check() if finding.violations]
    assert not broken, broken


def test_sales_go_on_when_both_markets_cover_the_gap_and_claims_stay_held(claimed, markets, compare, time_passes):
    liquidation = claimed("25")
    begin()
    compare(BOTH[0])
    assert is_held()
    compare(BOTH[1])
    assert not is_held()
    restore = Restore.objects.get()
    assert restore.compared_at is not None
    assert restore.claims_released_at is None
    assert Liquidation.objects.get().orders_may_be_missing, "a lost send may still arrive: no refusal is believed"
    markets.then("refuse")
    assert sell(liquidation.pk) is Outcome.LATER
    time_passes(seconds=20)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert len(markets.traded) == TradeOrder.objects.count() == 1
    books_are_right()


def test_a_statement_that_ends_before_the_restore_was_begun_releases_nothing(claimed, markets, compare):
    claimed("25")
    before = clock.now()
    begin()
    compare(BOTH[0])
    compare(BOTH[1], end=before)
    assert is_held()
    compare(BOTH[1])
    assert not is_held()


def test_a_statement_that_begins_after_the_restores_instant_releases_nothing(claimed, markets, compare):
    claimed("25")
    restore = begin()
    compare(BOTH[0])
    compare(BOTH[1], start=restore.since + timedelta(microseconds=1))
    assert is_held()
    compare(BOTH[1], start=restore.since)
    assert not is_held()


def test_statements_cover_the_gap_together_if_there_is_none_between_them(claimed, markets, compare):
    claimed("25")
    begin()
    compare(BOTH[0])
    middle = clock.now() - timedelta(minutes=2)
    compare(BOTH[1], end=middle - timedelta(microseconds=1))
    compare(BOTH[1], start=middle)
    assert is_held()
    compare(BOTH[1], start=middle - timedelta(microseconds=1))
    assert not is_held()


def test_a_statement_that_was_compared_before_the_restore_was_begun_counts_when_it_is_compared_again(
    claimed, markets, compare
):
    """It was compared with other books."""
    claimed("25")
    period = {"start": clock.now() - timedelta(hours=1), "end": clock.now()}
    for market in BOTH:
        compare(market, [], **period)
    begin()
    with history.cause("test", correlation_id="restore"):
        Restore.objects.update(since=period["start"])
    later = clock.now()
    for market in BOTH:
        compare(market, [], start=period["end"], end=later)
    assert is_held()
    compare(BOTH[0], [], **period)
    assert is_held()
    compare(BOTH[1], [], **period)
    assert not is_held()


def test_an_open_difference_of_any_market_keeps_everything_held(two_agree, claimed, markets, compare):
    claimed("25")
    begin()
    compare(BOTH[0], [line("of-no-loan")])
    compare(BOTH[1])
    assert is_held()
    two_agree(EXPLAIN, difference_id=ReconciliationDifference.objects.get().pk, note="of another bank")
    assert not is_held()


def pending_order(liquidation, markets, *, answer=503):
    markets.then(answer)
    sell(liquidation.pk)
    return TradeOrder.objects.get()


def test_an_order_that_was_pending_and_that_no_statement_shows_was_not_traded(claimed, markets, compare):
    liquidation = claimed("25")
    order = pending_order(liquidation, markets)
    begin()
    for market in BOTH:
        compare(market)
    order.refresh_from_db()
    assert order.status == OrderStatus.REFUSED
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert [row.number for row in TradeOrder.objects.filter(market=order.market).order_by("pk")] in ([1], [1, 2])
    books_are_right()


def test_an_order_that_is_older_than_the_statements_is_not_called_untraded(claimed, markets, compare):
    order = pending_order(claimed("25"), markets)
    restore = restored.begin(since=clock.now(), by="Leia", insist=True)
    for market in BOTH:
        compare(market, start=restore.since)
    order.refresh_from_db()
    assert not is_held()
    assert (order.status, order.refusals_prove_nothing) == (OrderStatus.UNKNOWN, True)


def test_an_order_that_may_have_been_sent_since_is_not_called_untraded(two_agree, claimed, markets, compare):
    liquidation = claimed("25")
    order = pending_order(liquidation, markets)
    begin()
    two_agree(RELEASE_SALE, liquidation_id=liquidation.pk)
    for market in BOTH:
        compare(market)
    order.refresh_from_db()
    assert (order.status, order.refusals_prove_nothing) == (OrderStatus.UNKNOWN, True)
    assert Restore.objects.get().compared_at is not None


def test_an_order_that_a_statement_shows_is_not_called_untraded(claimed, markets, compare):
    order = pending_order(claimed("25"), markets, answer="trade, then lose the answer")
    begin()
    for market in BOTH:
        compare(market)
    order.refresh_from_db()
    assert order.status == OrderStatus.UNKNOWN
    assert is_held()


def test_an_order_whose_stated_trade_was_explained_is_not_called_untraded(claimed, markets, compare, two_agree):
    order = pending_order(claimed("25"), markets, answer="trade, then lose the answer")
    begin()
    for market in BOTH:
        compare(market)
    two_agree(EXPLAIN, difference_id=ReconciliationDifference.objects.get().pk, note="its next send will tell")
    order.refresh_from_db()
    assert not is_held()
    assert order.status == OrderStatus.UNKNOWN


def test_a_claim_that_is_under_way_while_the_restore_ends_is_not_held_for_ever(
    loan, quote, markets, compare, two_agree
):
    loan()
    restore = begin()
    two_agree(RELEASE_CLAIMS, restore_id=restore.pk)
    compare(BOTH[0])

    def last_statement():
        compare(BOTH[1])
        connections.close_all()

    releasing = threading.Thread(target=last_statement)

    def reach(name):
        if name == "claim.written":
            releasing.start()
            releasing.join(0.5)

    quote("25")
    failpoints.arm(reach)
    try:
        evaluate_loans()
    finally:
        failpoints.arm(None)
        releasing.join()
    assert Liquidation.objects.count() == 1
    assert not is_held()
    assert Restore.objects.get().compared_at is not None
