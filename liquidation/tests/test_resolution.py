"""A person's word ends what no market explains, once, and only with figures that can be true."""

import json
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from liquidation import invariants, recover, resolution
from liquidation.models import Liquidation, LiquidationStatus, OrderStatus, TradeOrder
from liquidation.resolution import FiguresDoNotFit, FiguresNeedTwo, OrderNotUnresolved
from liquidation.sell import Outcome, sell
from loans.models import Loan
from pricing.markets import Market

pytestmark = pytest.mark.django_db

SALE = ("liquidation.sell", "liquidation.publish")


@pytest.fixture
def unresolved(claimed, markets, time_passes):
    liquidation = claimed("31.25")
    markets.price[Market.MOS_ESPA] = Decimal("31.25")
    markets.then(500, json.dumps({"success": False, "reason": "duplicate request"}))
    sell(liquidation.pk)
    time_passes(seconds=5)
    assert sell(liquidation.pk) is Outcome.WAITING
    return TradeOrder.objects.get()


@pytest.fixture
def unclear(claimed, markets, time_passes, settings):
    """An order whose first send was lost and which its market has refused since. Its next send needs attention."""
    settings.ORDER_SENDS_BEFORE_ATTENTION = 3
    liquidation = claimed("31.25")
    markets.price[Market.MOS_ESPA] = Decimal("31.25")
    markets.then(500, "refuse")
    for _ in range(2):
        assert sell(liquidation.pk) is Outcome.LATER
        time_passes(seconds=20)
    return TradeOrder.objects.get()


def person():
    return {"actor_name": "ahsoka", "actor_id": 7}


def test_recovery_does_not_enqueue_what_waits_for_a_person(unresolved, enqueued, time_passes):
    time_passes(seconds=600)
    assert recover.recover() == 0


def test_a_person_says_that_the_market_traded(unresolved, enqueued, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        resolution.resolve_as_traded(order_id=unresolved.pk, units=Decimal(32), proceeds=Decimal(1000), **person())
    assert Liquidation.objects.get().status == LiquidationStatus.SETTLED
    assert Loan.objects.get().collateral == 8
    newest = unresolved.history.order_by("-history_id").first()
    assert (newest.status, newest.history_actor, newest.history_user_id) == ("filled", "ahsoka", 7)
    assert enqueued[-1][0] == SALE
    assert not [finding for finding in invariants.check() if finding.violations]


def test_a_person_says_that_the_market_did_not_trade_and_the_sale_goes_on(unresolved, markets, enqueued):
    resolution.resolve_as_not_traded(order_id=unresolved.pk, **person())
    assert sell(unresolved.liquidation_id) is Outcome.SETTLED
    assert [order.status for order in TradeOrder.objects.order_by("sequence")] == [
        OrderStatus.REFUSED,
        OrderStatus.FILLED,
    ]
    assert not [finding for finding in invariants.check() if finding.violations]


@pytest.mark.parametrize(("units", "proceeds"), [("0", "1"), ("33", "1"), ("32", "0"), ("-1", "1")])
def test_impossible_figures_are_refused_and_nothing_changes(unresolved, units, proceeds):
    with pytest.raises(FiguresDoNotFit):
        resolution.resolve_as_traded(
            order_id=unresolved.pk, units=Decimal(units), proceeds=Decimal(proceeds), **person()
        )
    assert TradeOrder.objects.get().status == OrderStatus.UNRESOLVED
    assert Liquidation.objects.get().status == LiquidationStatus.WAITING


@pytest.mark.parametrize(("units", "proceeds"), [("32", "99999999999999999999"), ("1", "94"), ("32", "333")])
def test_figures_far_from_the_market_s_prices_need_a_second_person(unresolved, units, proceeds):
    figures = {"order_id": unresolved.pk, "units": Decimal(units), "proceeds": Decimal(proceeds)}
    with pytest.raises(FiguresNeedTwo):
        resolution.resolve_as_traded(**figures, **person())
    assert TradeOrder.objects.get().status == OrderStatus.UNRESOLVED
    if Decimal(proceeds) < 1000:
        resolution.resolve_as_traded(**figures, **person(), two_people=True)
        assert TradeOrder.objects.get().proceeds == Decimal(proceeds)


def test_only_the_first_persons_word_counts(unresolved, enqueued):
    resolution.resolve_as_not_traded(order_id=unresolved.pk, **person())
    with pytest.raises(OrderNotUnresolved):
        resolution.resolve_as_traded(order_id=unresolved.pk, units=Decimal(1), proceeds=Decimal(1), **person())


# --- an order that is still sent ---


def books_are_right():
    broken = [finding for finding in invariants.check() if finding.violations]
    assert not broken, broken


def test_a_person_answers_for_an_order_that_its_market_refuses_for_ever(unclear, markets, enqueued):
    with pytest.raises(OrderNotUnresolved, match="still asked"):
        resolution.resolve_as_not_traded(order_id=unclear.pk, **person())
    markets.then("refuse")
    assert sell(unclear.liquidation_id) is Outcome.LATER
    resolution.resolve_as_not_traded(order_id=unclear.pk, **person())
    assert sell(unclear.liquidation_id) is Outcome.SETTLED
    assert [order.status for order in TradeOrder.objects.order_by("sequence")] == ["refused", "filled"]
    books_are_right()


def test_an_order_whose_workers_have_all_died_waits_for_a_person_too(claimed, markets, time_passes, settings, enqueued):
    settings.ORDER_SENDS_BEFORE_ATTENTION = 2
    liquidation = claimed("31.25")
    for _ in range(2):
        markets.then(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            sell(liquidation.pk)
        time_passes(seconds=settings.LEASE_SECONDS + 1)
    order = TradeOrder.objects.get()
    assert (order.status, order.sends) == (OrderStatus.OPEN, 2)
    resolution.resolve_as_traded(order_id=order.pk, units=Decimal(32), proceeds=Decimal(1000), **person())
    assert Liquidation.objects.get().status == LiquidationStatus.SETTLED
    books_are_right()


def test_a_worker_in_mid_send_changes_nothing_once_a_person_has_said_that_nothing_was_traded(
    unclear, markets, enqueued
):
    def answered_for_meanwhile(market, order):
        resolution.resolve_as_not_traded(order_id=unclear.pk, **person())
        return markets.trade(market, order)

    markets.then(answered_for_meanwhile)
    with capture_logs() as logged:
        assert sell(unclear.liquidation_id) is Outcome.BUSY
    unclear.refresh_from_db()
    assert (unclear.status, unclear.units_traded, Loan.objects.get().collateral) == ("refused", None, 40)
    late = unclear.answers.get(send=3)
    assert (late.kind, late.stale) == ("success", True)
    assert "1000" in late.text
    assert ("refused_order_traded", "error") in [(line["event"], line["log_level"]) for line in logged]
    books_are_right()
    assert sell(unclear.liquidation_id) is Outcome.SETTLED, "the person's answer counts, at once"
    books_are_right()


def test_a_worker_in_mid_send_changes_nothing_once_a_person_has_said_what_was_traded(unclear, markets, enqueued):
    def answered_for_meanwhile(market, order):
        resolution.resolve_as_traded(order_id=unclear.pk, units=Decimal(16), proceeds=Decimal(500), **person())
        return markets.trade(market, order)

    markets.then(answered_for_meanwhile)
    assert sell(unclear.liquidation_id) is Outcome.BUSY
    unclear.refresh_from_db()
    assert (unclear.status, unclear.units_traded, unclear.proceeds) == ("filled", 16, 500)
    assert unclear.answers.get(send=3).stale
    assert Liquidation.objects.get().collateral_sold == 16
    books_are_right()
    assert sell(unclear.liquidation_id) is Outcome.SETTLED
    assert Liquidation.objects.get().collateral_sold == 32
    books_are_right()
