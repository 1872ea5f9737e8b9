"""What the overview shows of prices."""

from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock, history
from coruscant.admin.tests.bank import make_liquidation, make_loan
from desk.overview import prices
from desk.overview.prices import Claims, Depth
from liquidation.models import Liquidation
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.quotes import Level
from pricing.snapshot import Curve

pytestmark = pytest.mark.django_db


def quote(market, price, at):
    levels = [["1", str(price)], ["100", str(price - 2)]]
    PriceQuote.objects.create(
        market=market, message_id=f"{market}-{at}", market_time=1, sent_at=at, effective_from=at, received_at=at,
        sell=levels, buy=levels,
    )  # fmt: skip


def test_each_market_is_sampled_and_has_no_price_once_its_quote_is_too_old(settings):
    settings.PRICE_MAX_AGE_SECONDS = 60
    now = clock.now()
    quote("mos_espa", 50, now - timedelta(minutes=10))
    quote("mos_espa", 40, now - timedelta(seconds=20))
    found = prices.series(now, timedelta(minutes=30))
    shown = dict(found[Market.MOS_ESPA])
    assert len(shown) == prices.POINTS + 1
    assert shown[now] == Decimal(40)
    assert shown[now - timedelta(minutes=10)] == Decimal(50)
    assert shown[now - timedelta(minutes=9)] is None
    assert {price for _at, price in found[Market.BLACK_SPIRE_OUTPOST]} == {None}


def test_claims_are_grouped_by_their_price_and_only_the_largest_groups_are_shown():
    now = clock.now()
    with history.cause("test", correlation_id="claims"):
        for number in range(12):
            make_liquidation(make_loan(f"L-{number}", status="liquidating"))
        for number, sale in enumerate(Liquidation.objects.order_by("id")):
            group = (0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3)[number]
            sale.price_at, sale.price = now - timedelta(seconds=10 - group), Decimal(40 - group)
            sale.claimed_at = now - timedelta(days=1 if number == 11 else 0)
            sale.save()
    assert prices.claims(now - timedelta(hours=1)) == [
        Claims(now - timedelta(seconds=9), Decimal(39), 2),
        Claims(now - timedelta(seconds=8), Decimal(38), 3),
        Claims(now - timedelta(seconds=7), Decimal(37), 5),
    ]


def test_the_market_that_pays_most_depends_on_the_quantity_and_a_stale_one_pays_nothing():
    now = clock.now()
    first = Curve(
        Market.MOS_ESPA, (Level(Decimal(1), Decimal(50)), Level(Decimal(50), Decimal(40))), fresh=True, sent_at=now
    )
    second = Curve(Market.BLACK_SPIRE_OUTPOST, (Level(Decimal(100), Decimal(45)),), fresh=True, sent_at=now)
    found = prices.depths({curve.market: curve for curve in (first, second)})
    assert [depth.best for depth in found] == [Market.MOS_ESPA] * 2 + [Market.BLACK_SPIRE_OUTPOST] * 2
    assert found[0] == Depth(1, (Decimal(50), Decimal(45)))
    assert found[3] == Depth(100, (None, Decimal(45)))
    stale = Curve(Market.MOS_ESPA, first.levels, fresh=False, sent_at=now)
    assert prices.depths({Market.MOS_ESPA: stale})[0].best is None
