"""What a restore holds goes on when statements of all markets show what it may have forgotten, and not before."""

import threading
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connections

from coruscant import clock, failpoints
from coruscant.admin.figures import instant
from coruscant.restores import holds
from coruscant.restores.models import Restore
from liquidation import invariants, restored
from liquidation.evaluate import evaluate_loans
from liquidation.models import Liquidation, OrderStatus, TradeOrder
from liquidation.reconciliation import release
from liquidation.reconciliation.conftest import HEADER
from liquidation.reconciliation.models import ReconciliationDifference
from liquidation.reconciliation.tests.test_compare import line
from liquidation.reconciliation.two_people import EXPLAIN, RELEASE_CLAIMS, RELEASE_SALE
from liquidation.sell import Outcome, sell
from pricing.markets import Market

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_cache", "enqueued")]

BOTH = tuple(Market)


@pytest.fixture
def begin(time_passes):
    """Begin a restore, and wait until statements may cover it: `begin(minutes=5)`, or `begin(since=…)`."""

    def act(minutes=5, since=None):
        since = since or clock.now() - timedelta(minutes=minutes)
        time_passes(seconds=1)  # what was done before is older
        restore = restored.begin(since=since, by="Leia", insist=True)
        time_passes(seconds=(holds.statements_cover(restore)[1] - clock.now()).total_seconds())
        return restore

    return act


def is_held():
    return Liquidation.objects.filter(held_by__isnull=False).exists()


def books_are_right():
    broken = [finding for finding in invariants.check() if finding.violations]
    assert not broken, broken


def test_sales_go_on_when_both_markets_cover_the_gap_and_claims_stay_held(
    begin, claimed, markets, compare, time_passes
):
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


@pytest.mark.parametrize("short", [BOTH[0], BOTH[1]])
def test_a_statement_must_reach_until_no_call_from_before_the_restore_can_trade_any_more(
    short, begin, claimed, markets, compare, settings
):
    """A worker may have counted a send just before it: it may leave within its lease, and trade within its call."""
    settings.LEASE_SECONDS, settings.MARKET_TIMEOUT_SECONDS = 15, Decimal("4.5")
    claimed("25")
    restore = begin()
    until = restore.begun_at + timedelta(seconds=19.5) + holds.CLOCKS_DIFFER
    (other,) = set(BOTH) - {short}
    compare(other)
    compare(short, end=until - timedelta(microseconds=1))
    assert is_held()
    assert release.uncovered(restore) == [short]
    compare(short, end=holds.statements_cover(restore)[1])
    assert until <= holds.statements_cover(restore)[1] < until + timedelta(seconds=1)
    assert not is_held()


def test_a_statement_must_begin_so_early_that_a_clock_behind_ours_hides_no_trade(begin, claimed, markets, compare):
    claimed("25")
    restore = begin()
    since = restore.since - holds.CLOCKS_DIFFER
    compare(BOTH[0])
    compare(BOTH[1], start=since + timedelta(microseconds=1))
    assert is_held()
    compare(BOTH[1], start=holds.statements_cover(restore)[0])
    assert since - timedelta(seconds=1) < holds.statements_cover(restore)[0] <= since
    assert not is_held()


def test_the_command_says_from_when_until_when_statements_must_reach_and_whose_do_not(
    begin, claimed, markets, compare, tmp_path
):
    claimed("25")
    first, last = map(instant, holds.statements_cover(begin()))
    file, out = tmp_path / "statement.csv", StringIO()
    file.write_text(HEADER)
    period = {"start": clock.now() - timedelta(hours=1), "end": clock.now()}
    call_command("reconcile", str(file), market="mos_espa", stdout=out, **period)
    assert f"Statements must reach from {first} until {last}" in out.getvalue()
    assert "Those of Black Spire Outpost, Batuu do not yet" in out.getvalue()
    out.truncate(0)
    call_command("reconcile", str(file), market="black_spire_outpost", stdout=out, **period)
    assert "must reach" not in out.getvalue()
    assert not is_held()


def test_statements_cover_the_gap_together_if_there_is_none_between_them(begin, claimed, markets, compare):
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
    begin, claimed, markets, compare
):
    """It was compared with other books."""
    claimed("25")
    period = {"start": clock.now() - timedelta(hours=1), "end": clock.now()}
    for market in BOTH:
        compare(market, [], **period)
    begin(since=period["end"] - timedelta(minutes=30))
    for market in BOTH:
        compare(market, [], start=period["end"])
    assert is_held()
    compare(BOTH[0], [], **period)
    assert is_held()
    compare(BOTH[1], [], **period)
    assert not is_held()


def test_an_open_difference_of_any_market_keeps_everything_held(begin, two_agree, claimed, markets, compare):
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


def test_an_order_that_was_pending_and_that_no_statement_shows_was_not_traded(begin, claimed, markets, compare):
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


@pytest.mark.parametrize(("early", "status"), [(-1, OrderStatus.UNKNOWN), (0, OrderStatus.REFUSED)])
def test_an_order_that_is_older_than_the_statements_is_not_called_untraded(
    early, status, begin, claimed, markets, compare
):
    """By the market's clock it may have traded before they begin."""
    order = pending_order(claimed("25"), markets)
    begin(since=clock.now() + timedelta(seconds=1))
    for market in BOTH:
        compare(market, start=order.created_at - holds.CLOCKS_DIFFER - timedelta(microseconds=early))
    order.refresh_from_db()
    assert not is_held()
    assert (order.status, order.refusals_prove_nothing) == (status, True)


def test_an_order_that_may_have_been_sent_since_is_not_called_untraded(begin, two_agree, claimed, markets, compare):
    liquidation = claimed("25")
    order = pending_order(liquidation, markets)
    begin()
    two_agree(RELEASE_SALE, liquidation_id=liquidation.pk)
    for market in BOTH:
        compare(market)
    order.refresh_from_db()
    assert (order.status, order.refusals_prove_nothing) == (OrderStatus.UNKNOWN, True)
    assert Restore.objects.get().compared_at is not None


def test_an_order_that_a_statement_shows_is_not_called_untraded(begin, claimed, markets, compare):
    order = pending_order(claimed("25"), markets, answer="trade, then lose the answer")
    begin()
    for market in BOTH:
        compare(market)
    order.refresh_from_db()
    assert order.status == OrderStatus.UNKNOWN
    assert is_held()


def test_an_order_that_the_market_has_called_a_success_is_not_called_untraded(begin, claimed, markets, compare):
    """It answered when the restore had begun, so nothing was booked; and its statement does not show the trade."""
    liquidation = claimed("25")
    markets.then(lambda market, order: begin() and markets.trade(market, order))
    assert sell(liquidation.pk) is Outcome.BUSY
    for market in BOTH:
        compare(market, [])
    assert not is_held()
    assert TradeOrder.objects.get().status == OrderStatus.OPEN
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert len(markets.traded) == TradeOrder.objects.count() == 1
    books_are_right()


def test_an_order_whose_stated_trade_was_explained_is_not_called_untraded(begin, claimed, markets, compare, two_agree):
    order = pending_order(claimed("25"), markets, answer="trade, then lose the answer")
    begin()
    for market in BOTH:
        compare(market)
    two_agree(EXPLAIN, difference_id=ReconciliationDifference.objects.get().pk, note="its next send will tell")
    order.refresh_from_db()
    assert not is_held()
    assert order.status == OrderStatus.UNKNOWN


def test_a_claim_that_is_under_way_while_the_restore_ends_is_not_held_for_ever(
    begin, loan, quote, markets, compare, two_agree, time_passes
):
    loan()
    restore = begin()
    two_agree(RELEASE_CLAIMS, restore_id=restore.pk)
    compare(BOTH[0])
    time_passes(seconds=1)

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
