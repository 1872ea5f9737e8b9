"""The sale, step by step: what is sent, what is booked, and what is not."""

import json
import threading
import time
from decimal import Decimal
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, connections, transaction

from coruscant import clock, ids
from liquidation import invariants
from liquidation.locking import lock
from liquidation.models import Liquidation, LiquidationEvent, OrderStatus, TradeOrder
from liquidation.sell import Outcome, sell
from loans.models import Loan, LoanStatus
from pricing.markets import Market

pytestmark = pytest.mark.django_db


def books_are_right():
    broken = [finding for finding in invariants.check() if finding.violations]
    assert not broken, broken


def test_exactly_enough_is_sold_and_the_loan_is_liquidated(claimed, markets):
    liquidation = claimed("25")  # 1000 GC at 25 is 40 units: everything
    markets.price[Market.MOS_ESPA] = Decimal(25)
    assert sell(liquidation.pk) is Outcome.SETTLED
    loan = Loan.objects.get()
    liquidation.refresh_from_db()
    assert (loan.status, loan.collateral, loan.outstanding_balance) == (LoanStatus.LIQUIDATED, 0, 0)
    assert (liquidation.collateral_sold, liquidation.proceeds, liquidation.surplus, liquidation.shortfall) == (
        40,
        1000,
        0,
        0,
    )
    assert len(markets.sent) == 1
    books_are_right()


def test_what_is_left_goes_back_to_the_client(claimed, markets):
    liquidation = claimed("31.25")  # exactly 80 %
    markets.price[Market.MOS_ESPA] = Decimal("31.25")
    sell(liquidation.pk)
    event = json.loads(LiquidationEvent.objects.get().body)
    assert event == {
        "eventId": str(LiquidationEvent.objects.get().event_id),
        "eventType": "liquidation",
        "loanId": Loan.objects.get().loan_id,
        "collateralSold": "32",
        "collateralSoldValue": "1000",
        "outstandingCollateral": "8",
        "outstandingBalance": "0",
    }
    books_are_right()


def test_the_order_is_committed_before_it_is_sent_and_no_transaction_is_open(claimed, markets, transactional_db):
    liquidation = claimed("25")
    seen = []

    def look(market, order):
        seen.append((connection.in_atomic_block, TradeOrder.objects.get(request_id=order["requestId"]).sends))
        return markets.trade(market, order)

    markets.then(look)
    sell(liquidation.pk)
    assert seen == [(False, 1)]


def test_request_ids_name_the_loan_and_the_market_and_come_again_after_a_restore(claimed, markets, quote, settings):
    liquidation = claimed("25")
    quote("24", market=Market.BLACK_SPIRE_OUTPOST)
    markets.then(*["refuse"] * 6, "half")
    sell(liquidation.pk)
    loan, orders = Loan.objects.get(), TradeOrder.objects.order_by("sequence")
    counted = [(Market.MOS_ESPA, 1), (Market.MOS_ESPA, 2), (Market.BLACK_SPIRE_OUTPOST, 1)]
    assert [(order.market, order.request_id) for order in orders][:3] == [
        (
            market,
            ids.order_id(
                settings.INSTALLATION_NAMESPACE,
                application=loan.request_id,
                loan_id=loan.loan_id,
                market=market,
                number=number,
            ),
        )
        for market, number in counted
    ]
    assert len({order.request_id for order in orders}) == len(orders)


def test_resends_are_spaced_ever_wider_and_never_given_up(claimed, markets, time_passes, settings):
    liquidation = claimed("25")
    delays = []
    for _ in range(settings.ORDER_SENDS_BEFORE_ATTENTION + 5):
        markets.then(500)
        assert sell(liquidation.pk) is Outcome.LATER
        liquidation.refresh_from_db()
        delays.append((liquidation.due_at - clock.now()).total_seconds())
        time_passes(seconds=delays[-1] + 0.001)
    assert delays[0] < 1
    assert delays[3] > delays[0] * 3
    assert max(delays) <= 15
    assert TradeOrder.objects.get().sends == settings.ORDER_SENDS_BEFORE_ATTENTION + 5
    assert sell(liquidation.pk) is Outcome.SETTLED


def test_a_partial_fill_is_followed_by_a_smaller_order(claimed, markets):
    liquidation = claimed("25")
    markets.then("half")
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert [order.quantity for order in TradeOrder.objects.order_by("sequence")] == [40, 20]
    books_are_right()


def test_proceeds_short_of_the_quote_lead_to_another_order(claimed, markets):
    liquidation = claimed("31.25")
    markets.price[Market.MOS_ESPA] = Decimal(30)  # it traded a little below its quote
    sell(liquidation.pk)
    first, second, *rest = TradeOrder.objects.order_by("sequence")
    assert (first.quantity, first.proceeds) == (32, 960)
    assert all(later.quantity < earlier.quantity for earlier, later in pairwise([first, second, *rest]))
    assert second.quantity == Decimal("1.28")  # 40 GC at the quoted 31.25
    assert Loan.objects.get().outstanding_balance == 0
    books_are_right()


def test_exhausted_collateral_leaves_a_balance(claimed, markets):
    liquidation = claimed("20")
    markets.price[Market.MOS_ESPA] = Decimal(20)
    assert sell(liquidation.pk) is Outcome.SETTLED
    event = json.loads(LiquidationEvent.objects.get().body)
    assert (event["outstandingBalance"], event["outstandingCollateral"]) == ("200", "0")
    assert Liquidation.objects.get().shortfall == 200
    books_are_right()


def test_dust_below_a_step_is_not_sold(claimed, markets):
    liquidation = claimed("20", collateral="40.000000001")
    markets.price[Market.MOS_ESPA] = Decimal(20)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert json.loads(LiquidationEvent.objects.get().body)["outstandingCollateral"] == "0.000000001"
    books_are_right()


def test_proceeds_above_the_balance_are_the_clients(claimed, markets):
    liquidation = claimed("31.25")
    markets.price[Market.MOS_ESPA] = Decimal(32)
    sell(liquidation.pk)
    liquidation.refresh_from_db()
    assert (liquidation.proceeds, liquidation.surplus) == (1024, 24)
    assert Loan.objects.get().outstanding_balance == 0
    books_are_right()


def test_a_large_balance_is_sold_in_orders_of_at_most_the_ceiling(claimed, markets):
    liquidation = claimed("25", amount="6000", collateral="250")
    sell(liquidation.pk)
    assert [order.quantity for order in TradeOrder.objects.order_by("sequence")] == [100, 100, 40]
    books_are_right()


def test_figures_beyond_python_s_default_precision_are_booked_exactly(claimed, markets):
    liquidation = claimed(
        "0.8",
        amount="12345678901234567890.123456789012345678901234",
        collateral="12345678901234567890.123456789012345678901234",
    )
    markets.price[Market.MOS_ESPA] = Decimal("0.8")
    markets.then("half", "half", 500)
    sell(liquidation.pk)
    liquidation.refresh_from_db()
    assert liquidation.collateral_sold == 100
    assert Loan.objects.get().collateral == Decimal("12345678901234567790.123456789012345678901234")
    books_are_right()


def test_a_worker_frozen_past_its_lease_sends_nothing(claimed, markets, monkeypatch, settings):
    liquidation = claimed("25")
    moments = iter([0.0, settings.LEASE_SECONDS + 1.0])
    monkeypatch.setattr("liquidation.sell.time", SimpleNamespace(monotonic=lambda: next(moments)))
    assert sell(liquidation.pk) is Outcome.BUSY
    assert markets.sent == []


def test_another_workers_lease_keeps_a_second_one_out(claimed, markets, time_passes, settings):
    liquidation = claimed("25")
    outcomes = []

    def meanwhile(market, order):
        outcomes.append(sell(liquidation.pk))
        return markets.trade(market, order)

    markets.then(meanwhile)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert outcomes == [Outcome.BUSY]
    assert len(markets.sent) == 1


def test_a_worker_that_lost_its_lease_writes_nothing(claimed, markets, time_passes, settings):
    liquidation = claimed("25")
    rows = []

    def overtaken(market, order):
        time_passes(seconds=settings.LEASE_SECONDS + 1)
        markets.then("trade")
        assert sell(liquidation.pk) is Outcome.SETTLED  # another worker took over, with the same requestId
        rows.append(
            (Liquidation.objects.values().get(), TradeOrder.objects.values().get(), Loan.objects.values().get())
        )
        return markets.trade(market, order)

    markets.then(overtaken)
    assert sell(liquidation.pk) is Outcome.BUSY
    assert rows == [
        (Liquidation.objects.values().get(), TradeOrder.objects.values().get(), Loan.objects.values().get())
    ]
    assert len(markets.traded) == 1
    books_are_right()


def test_a_worker_that_lost_its_lease_writes_nothing_while_the_sale_goes_on(claimed, markets, time_passes, settings):
    liquidation = claimed("25", amount="6000", collateral="250")
    rows = []

    def overtaken(market, order):
        time_passes(seconds=settings.LEASE_SECONDS + 1)
        markets.then("trade", 500)  # another worker books this order, and the next one has no verdict
        assert sell(liquidation.pk) is Outcome.LATER
        rows.append(
            (Liquidation.objects.values().get(), list(TradeOrder.objects.values()), Loan.objects.values().get())
        )
        return markets.trade(market, order)

    markets.then(overtaken)
    assert sell(liquidation.pk) is Outcome.BUSY
    assert rows == [
        (Liquidation.objects.values().get(), list(TradeOrder.objects.values()), Loan.objects.values().get())
    ]
    assert Liquidation.objects.get().collateral_sold == 100
    books_are_right()


def test_a_sale_is_not_settled_while_an_order_has_no_verdict(claimed, markets, time_passes, settings):
    liquidation = claimed("25")
    markets.then("trade, then lose the answer")
    assert sell(liquidation.pk) is Outcome.LATER
    settings.ORDER_QUANTITY_STEP = Decimal(50)  # by now, what is left is less than one step
    assert sell(liquidation.pk) is Outcome.NOT_DUE
    assert not LiquidationEvent.objects.exists()
    time_passes(seconds=20)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert TradeOrder.objects.get().status == OrderStatus.FILLED
    books_are_right()


def test_a_sale_locks_the_loan_before_the_liquidation(claimed, transactional_db):
    liquidation = claimed("25")

    def lock_both():
        with transaction.atomic():
            lock(liquidation.pk, "sell")
        connections.close_all()

    worker = threading.Thread(target=lock_both)
    with connection.cursor() as cursor:
        with transaction.atomic():
            cursor.execute("SELECT FROM liquidation_liquidation WHERE id = %s FOR UPDATE", [liquidation.pk])
            worker.start()
            deadline, waits = time.monotonic() + 20, 0
            while not waits:
                assert time.monotonic() < deadline
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                (waits,) = cursor.fetchone()
            with pytest.raises(OperationalError, match="could not obtain lock"), transaction.atomic():
                cursor.execute("SELECT FROM loans_loan WHERE id = %s FOR UPDATE NOWAIT", [liquidation.loan_id])
        worker.join(20)
        cursor.execute("SELECT FROM loans_loan WHERE id = %s FOR UPDATE NOWAIT", [liquidation.loan_id])
