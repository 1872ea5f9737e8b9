"""Whether a trade's figures can be true: a market that pays far more or far less than it offered is not believed."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from coruscant.money import exact
from liquidation.models import TradeOrder
from pricing import records
from pricing.markets import Market
from pricing.quotes import unit_price

#: Below so many GC a figure is not compared with what was expected, only bounded: rounding may be all of it.
SMALLEST_EXPECTED = Decimal(1)


def within(units: Decimal, proceeds: Decimal, unit_prices: Iterable[Decimal], band: Decimal) -> bool:
    """Whether `units` may have brought `proceeds` GC at one of these unit prices, divided or multiplied by `band`.

    Where a price promises less than SMALLEST_EXPECTED, anything up to that times the band may be true. Pure.
    """
    with exact():
        for price in unit_prices:
            expected = units * price
            low = expected / band if expected >= SMALLEST_EXPECTED else Decimal(0)
            if low <= proceeds <= max(expected, SMALLEST_EXPECTED) * band:
                return True
    return False


def can_be_true(order: TradeOrder, units: Decimal, proceeds: Decimal, now: datetime) -> bool:
    """Whether an order may have traded `units` for `proceeds` GC by `now`.

    Compared with the price at which it was sized and, unless that explains the figures, with every curve of its market
    that was effective since. Reads the database then.
    """
    if within(units, proceeds, [order.quoted_unit_price], settings.FILL_BAND):
        return True
    curves = records.sell_curves(Market(order.market), order.created_at, now)
    prices = [price for curve in curves if (price := unit_price(curve, units)) is not None]
    return within(units, proceeds, prices, settings.FILL_BAND)
