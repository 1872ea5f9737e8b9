"""The sale and what markets answer: what is believed, what is asked again, and what a person sees."""

import json
from decimal import Decimal

import pytest

from liquidation import invariants
from liquidation.models import Liquidation, OrderStatus, TradeOrder
from liquidation.sell import Outcome, sell
from pricing.markets import Market

pytestmark = pytest.mark.django_db


def books_are_right():
    broken = [finding for finding in invariants.check() if finding.violations]
    assert not broken, broken


def test_a_refused_order_is_asked_for_again_before_it_is_believed_and_another_sized(claimed, markets):
    liquidation = claimed("25")
    markets.then("refuse", "refuse", "refuse", "trade")
    assert sell(liquidation.pk) is Outcome.SETTLED
    refused, filled = TradeOrder.objects.order_by("sequence")
    assert (refused.status, refused.sends, filled.status) == (OrderStatus.REFUSED, 3, OrderStatus.FILLED)
    assert [order["requestId"] for _, order in markets.sent] == [refused.request_id] * 3 + [filled.request_id]
    assert list(refused.answers.values_list("send", "kind")) == [(1, "refusal"), (2, "refusal"), (3, "refusal")]
    assert filled.market == Market.MOS_ESPA
    books_are_right()


def test_the_trade_behind_a_false_refusal_shows_when_it_is_asked_for_again(claimed, markets):
    liquidation = claimed("25")

    def trade_and_refuse(market, order):
        markets.trade(market, order)
        return 200, {}, json.dumps({"success": False, "reason": "no buyers"})

    markets.then(trade_and_refuse, trade_and_refuse)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert len(markets.traded) == 1
    assert TradeOrder.objects.get().sends == 3
    books_are_right()


@pytest.mark.parametrize(
    "doubtful",
    [
        {"success": False, "reason": "status unknown"},
        {"success": False, "reason": "no buyers", "orderId": "ME-1", "quantity": "40", "price": "1000"},
    ],
)
def test_after_a_doubtful_refusal_plain_ones_prove_nothing(claimed, markets, time_passes, doubtful):
    liquidation = claimed("25")
    markets.then(lambda market, order: markets.trade(market, order) and (200, {}, json.dumps(doubtful)))
    markets.then(*["refuse"] * 5)
    for _ in range(6):
        assert sell(liquidation.pk) is Outcome.LATER
        time_passes(seconds=20)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert len(markets.traded) == len({order["requestId"] for _, order in markets.sent}) == 1
    books_are_right()


def test_a_market_may_trade_nothing_and_the_next_order_is_sized(claimed, markets):
    liquidation = claimed("25")

    def nothing(market, order):
        return 200, {}, json.dumps(order | {"success": True, "orderId": "o", "quantity": "0", "price": "0"})

    markets.then(nothing, nothing, nothing)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert [order.status for order in TradeOrder.objects.order_by("sequence")] == ["refused", "filled"]
    books_are_right()


def test_two_refused_orders_send_the_next_one_to_the_other_market(claimed, markets, quote):
    liquidation = claimed("25")
    quote("24", market=Market.BLACK_SPIRE_OUTPOST)
    markets.then(*["refuse"] * 6)
    sell(liquidation.pk)
    mos_espa, black_spire_outpost = Market.MOS_ESPA, Market.BLACK_SPIRE_OUTPOST
    assert [market for market, _ in markets.sent][:7] == [*[mos_espa] * 6, black_spire_outpost]


@pytest.mark.parametrize("price", ["0.0000000001", "8.33", "75.01", "1000000000000000"])
def test_a_trade_far_from_what_the_market_offered_is_not_believed(claimed, markets, time_passes, price):
    liquidation = claimed("25")  # 40 units, 1000 GC: from 333.33 to 3000 GC can be true
    markets.price[Market.MOS_ESPA] = Decimal(price)
    assert sell(liquidation.pk) is Outcome.LATER
    assert TradeOrder.objects.get().status == OrderStatus.UNKNOWN
    time_passes(seconds=20)
    assert sell(liquidation.pk) is Outcome.WAITING
    assert TradeOrder.objects.get().proceeds is None
    books_are_right()


@pytest.mark.parametrize("price", ["8.34", "75"])
def test_a_trade_within_the_band_is_booked(claimed, markets, price):
    liquidation = claimed("25")
    markets.price[Market.MOS_ESPA] = Decimal(price)
    markets.then("trade", 500)
    sell(liquidation.pk)
    assert TradeOrder.objects.earliest("sequence").status == OrderStatus.FILLED
    books_are_right()


def test_a_price_that_came_while_the_order_was_on_its_way_explains_the_trade(claimed, markets, quote):
    liquidation = claimed("25")

    def at_the_new_price(market, order):
        quote("90")
        quote("90")  # so that the market's jump is believed
        markets.price[market] = Decimal(90)
        return markets.trade(market, order)

    markets.then(at_the_new_price)
    assert sell(liquidation.pk) is Outcome.SETTLED
    books_are_right()


def test_an_answer_that_comes_after_the_lease_is_kept_and_decides_nothing(claimed, markets, time_passes, settings):
    liquidation = claimed("25")

    def overtaken(market, order):
        time_passes(seconds=settings.LEASE_SECONDS + 1)
        markets.then(json.dumps({"success": False, "reason": "duplicate request"}))
        assert sell(liquidation.pk) is Outcome.WAITING
        return markets.trade(market, order)

    markets.then(overtaken)
    assert sell(liquidation.pk) is Outcome.BUSY
    order = TradeOrder.objects.get()
    assert order.status == OrderStatus.UNRESOLVED
    late, duplicate = order.answers.order_by("send")
    assert (late.kind, late.stale, duplicate.kind, duplicate.stale) == ("success", True, "doubtful refusal", False)
    assert '"price": "1000"' in late.text
    books_are_right()


@pytest.mark.parametrize(
    "lost", [500, 503, 302, "{", "[]", ConnectionResetError("lost"), "trade, then lose the answer"]
)
def test_an_unknown_order_is_sent_again_as_it_was_to_the_same_market(claimed, markets, quote, time_passes, lost):
    liquidation = claimed("25")
    markets.then(lost)
    assert sell(liquidation.pk) is Outcome.LATER
    quote("90", market=Market.BLACK_SPIRE_OUTPOST)  # far better by now, and must not matter
    order = TradeOrder.objects.get()
    assert (order.status, order.sends) == (OrderStatus.UNKNOWN, 1)
    assert sell(liquidation.pk) is Outcome.NOT_DUE
    assert len(markets.sent) == 1
    time_passes(seconds=2)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert markets.sent[0] == markets.sent[1]
    assert TradeOrder.objects.get().status == OrderStatus.FILLED
    assert len(markets.traded) == 1
    books_are_right()


def test_a_refused_resend_is_never_taken_for_a_refusal(claimed, markets, time_passes):
    liquidation = claimed("25")
    markets.then("trade, then lose the answer", *["refuse"] * 6)
    for _ in range(7):
        assert sell(liquidation.pk) is Outcome.LATER
        assert TradeOrder.objects.get().status == OrderStatus.UNKNOWN
        time_passes(seconds=20)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert len(markets.traded) == 1
    assert TradeOrder.objects.get().sends == 8
    books_are_right()


def test_a_mismatch_that_repeats_waits_for_a_person_and_sells_nothing_more(claimed, markets, time_passes):
    liquidation = claimed("25")
    too_much = json.dumps(
        {
            "orderId": "X",
            "success": True,
            "type": "market",
            "side": "sell",
            "asset": "BESKAR",
            "currency": "GC",
            "quantity": "41",
            "price": "1000",
            "requestId": "?",
        }
    )
    markets.then(too_much, too_much)
    assert sell(liquidation.pk) is Outcome.LATER
    time_passes(seconds=20)
    assert sell(liquidation.pk) is Outcome.WAITING
    assert TradeOrder.objects.get().status == OrderStatus.UNRESOLVED
    time_passes(seconds=600)
    assert sell(liquidation.pk) is Outcome.WAITING
    assert len(markets.sent) == 2
    books_are_right()


def test_proceeds_that_the_books_cannot_hold_wait_for_a_person(claimed, markets, time_passes):
    liquidation = claimed("25")
    absurd = {"price": "99999999999999999999"}

    def lie(market, order):
        status, headers, body = markets.trade(market, order)
        return status, headers, json.dumps(json.loads(body) | absurd)

    markets.then("half", lie, lie)
    assert sell(liquidation.pk) is Outcome.LATER
    time_passes(seconds=20)
    assert sell(liquidation.pk) is Outcome.WAITING
    assert Liquidation.objects.get().proceeds == 500
