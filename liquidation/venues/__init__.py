"""Venues: how to send an order to each market and read its answer, one module a market.

A module has the `PATH` of orders, `payload` and `read`.
"""

from decimal import Decimal
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings

from liquidation.venues import http
from liquidation.verdicts import Answer
from pricing.markets import Market


class VenueModule(Protocol):
    """How to send orders to one market: the path, the body, and how to read the answer."""

    PATH: str

    def payload(self, request_id: str, quantity: Decimal) -> str:
        """The body of an order to sell `quantity` units; the same bytes for the same arguments."""

    def read(self, response: http.Response, *, request_id: str) -> Answer:
        """What an answer says of the order."""


VENUES: dict[Market, VenueModule] = {
    market: cast("VenueModule", import_module(f"liquidation.venues.{market.value}")) for market in Market
}


def send_order(market: Market, payload: str, *, request_id: str, at_most_seconds: float) -> Answer:
    """Send an order once and read the answer. Never raises for I/O. Call it outside any transaction.

    Takes MARKET_TIMEOUT_SECONDS at most, and `at_most_seconds` at most: what is left of the sender's lease.
    """
    venue = VENUES[market]
    response = http.post(
        settings.MARKET_URLS[market] + venue.PATH,
        payload,
        timeout_seconds=min(float(settings.MARKET_TIMEOUT_SECONDS), at_most_seconds),
    )
    if isinstance(response, http.Response):
        return venue.read(response, request_id=request_id)
    return response
