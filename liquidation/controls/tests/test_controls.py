"""A market that takes no new orders; and what pauses leave alone: sales under way, and the orders that are open."""

import pytest

from coruscant import clock
from coruscant.controls.tests.support import pull_it
from liquidation.models import Liquidation, OrderStatus, TradeOrder
from liquidation.sell import Outcome, sell
from pricing.markets import Market

pytestmark = pytest.mark.django_db

MOS_ESPA, BLACK_SPIRE = Market.MOS_ESPA, Market.BLACK_SPIRE_OUTPOST


@pytest.fixture
def liquidation(claimed, quote):
    """Both markets have a price; that of Mos Espa is the better one."""
    made = claimed("25")
    quote("24", market=BLACK_SPIRE)
    return made


def test_a_new_order_goes_to_the_other_market(liquidation, markets):
    pull_it("no_new_orders", market=MOS_ESPA)
    sell(liquidation.pk)
    assert {market for market, _order in markets.sent} == {BLACK_SPIRE}


def test_an_order_that_is_open_stays_and_is_sent_again(liquidation, markets, time_passes):
    markets.then(500)
    assert sell(liquidation.pk) is Outcome.LATER
    pull_it("no_new_orders", market=MOS_ESPA)
    time_passes(seconds=5)
    sell(liquidation.pk)
    first, second, *later = markets.sent
    assert first == second
    assert first[0] == MOS_ESPA
    assert MOS_ESPA not in {market for market, _order in later}
    assert TradeOrder.objects.get(market=MOS_ESPA).status == OrderStatus.FILLED


def test_while_no_market_takes_new_orders_a_sale_waits_and_goes_on_afterwards(liquidation, markets, time_passes):
    for market in Market:
        pull_it("no_new_orders", market=market)
    assert sell(liquidation.pk) is Outcome.LATER
    assert (markets.sent, TradeOrder.objects.exists()) == ([], False)
    assert Liquidation.objects.get().due_at > clock.now()
    time_passes(minutes=5)
    assert sell(liquidation.pk) is Outcome.SETTLED


def test_sales_under_way_go_on_while_claims_are_paused(liquidation, markets):
    pull_it()
    pull_it("pause_activations")
    assert sell(liquidation.pk) is Outcome.SETTLED
