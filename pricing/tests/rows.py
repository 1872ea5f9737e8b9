"""Quotes and feeds in the database, for tests."""

from decimal import Decimal
from typing import Any

from pricing.markets import Market
from pricing.models import Feed, PriceQuote
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at


def quote_row(market: Market, sent: float, price: str, **fields: Any) -> PriceQuote:
    """A quote of two levels, sent and received so many seconds after T0; its own time follows unless given."""
    return PriceQuote.objects.create(
        **{
            "market": market,
            "message_id": f"{market}{sent}",
            "market_time": Decimal(str(sent)),
            "sent_at": at(sent),
            "received_at": at(sent),
            "sell": [["1", price], ["10", price]],
            "buy": [],
            **fields,
        }
    )


def drain(to: float, *markets: Market) -> None:
    """These feeds, or both, are drained up to so many seconds after T0."""
    for market in markets or (MOS_ESPA, BLACK_SPIRE):
        Feed.objects.update_or_create(market=market, defaults={"drained_to": at(to)})
