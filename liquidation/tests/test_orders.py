"""Where the next order goes: without a price, at a stale price, and when a venue keeps failing."""

from datetime import timedelta

import pytest

from coruscant import clock
from liquidation.breaker import FAILURES_BEFORE_PAUSE
from liquidation.models import OrderStatus, TradeOrder, Venue
from liquidation.orders import earlier
from liquidation.sell import Outcome, sell
from liquidation.verdicts import REFUSALS_BELIEVED, Refused
from pricing import best_price
from pricing.markets import Market
from pricing.models import PriceQuote

pytestmark = pytest.mark.django_db


def test_a_sale_without_any_price_waits_and_goes_on_when_there_is_one(claimed, markets, time_passes, quote):
    liquidation = claimed("25")
    PriceQuote.objects.all().delete()
    best_price.refresh()
    assert sell(liquidation.pk) is Outcome.LATER
    assert not markets.sent
    time_passes(seconds=3)
    quote("25")
    assert sell(liquidation.pk) is Outcome.SETTLED


def test_a_stale_price_sells_a_quarter_at_a_time(claimed, markets, time_passes, settings):
    liquidation = claimed("25")
    time_passes(seconds=settings.FEED_MAX_LAG_SECONDS + 10)
    markets.then("trade", 500)
    sell(liquidation.pk)
    assert TradeOrder.objects.order_by("sequence").first().quantity == 10


def test_a_venue_that_keeps_failing_is_paused_and_then_probed_once(claimed, markets, time_passes):
    liquidation, another = claimed("25"), claimed("25")
    markets.then(*["refuse"] * REFUSALS_BELIEVED * FAILURES_BEFORE_PAUSE)
    while not (venue := Venue.objects.filter(paused_until__isnull=False).first()):
        time_passes(seconds=1)
        sell(liquidation.pk)
    assert venue.paused_until > clock.now()
    sent = len(markets.sent)
    assert sent == REFUSALS_BELIEVED * FAILURES_BEFORE_PAUSE
    assert sell(another.pk) is Outcome.LATER
    assert len(markets.sent) == sent, "no new order while paused, of a sale that was never refused either"
    time_passes(seconds=20)
    assert sell(liquidation.pk) is Outcome.SETTLED
    venue.refresh_from_db()
    assert (venue.failures_in_row, venue.paused_until) == (0, None)


def test_a_refusal_that_came_after_the_lease_does_not_count(claimed, markets, time_passes, settings):
    liquidation = claimed("25")

    def overtaken(market, order):
        time_passes(seconds=settings.LEASE_SECONDS + 1)
        markets.then("refuse")
        assert sell(liquidation.pk) is Outcome.LATER
        return markets.refusal(market)

    markets.then(overtaken)
    assert sell(liquidation.pk) is Outcome.BUSY
    order = TradeOrder.objects.get()
    assert (order.status, order.sends) == (OrderStatus.UNKNOWN, 2), "the send that had no answer yet may have traded"
    assert earlier(order, Refused("no buyers"))[0].may_have_traded


def test_an_open_order_stays_with_a_paused_venue(claimed, markets, quote, time_passes):
    liquidation = claimed("25")
    markets.then(500)
    sell(liquidation.pk)
    Venue.objects.update_or_create(
        market=Market.MOS_ESPA, defaults={"failures_in_row": 9, "paused_until": clock.now() + timedelta(hours=1)}
    )
    quote("25", market=Market.BLACK_SPIRE_OUTPOST)
    time_passes(seconds=5)
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert {market for market, _ in markets.sent} == {Market.MOS_ESPA}
