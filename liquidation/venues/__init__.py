"""Venues: how to send an order to each market and read its answer.

A new market takes one file here and one entry in `VENUES`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from django.conf import settings

from liquidation.venues import black_spire_outpost, http, mos_espa
from liquidation.verdicts import Answer
from pricing.markets import Market


class _Reader(Protocol):
    def __call__(self, response: http.Response, *, request_id: str) -> Answer: ...


@dataclass(frozen=True, slots=True)
class VenueProtocol:
    """How to send orders to one market: the address, the body, and how to read the answer."""

    url_setting: str
    path: str
    payload: Callable[[str, Decimal], str]
    read: _Reader


VENUES: dict[Market, VenueProtocol] = {
    Market.MOS_ESPA: VenueProtocol("MOS_ESPA_URL", mos_espa.PATH, mos_espa.payload, mos_espa.read),
    Market.BLACK_SPIRE_OUTPOST: VenueProtocol(
        "BLACK_SPIRE_OUTPOST_URL", black_spire_outpost.PATH, black_spire_outpost.payload, black_spire_outpost.read
    ),
}


def send_order(market: Market, payload: str, *, request_id: str, at_most_seconds: float) -> Answer:
    """Send an order once and read the answer. Never raises for I/O. Call it outside any transaction.

    Takes MARKET_TIMEOUT_SECONDS at most, and `at_most_seconds` at most: what is left of the sender's lease.
    """
    venue = VENUES[market]
    response = http.post(
        getattr(settings, venue.url_setting) + venue.path,
        payload,
        timeout_seconds=min(float(settings.MARKET_TIMEOUT_SECONDS), at_most_seconds),
    )
    if isinstance(response, http.Response):
        return venue.read(response, request_id=request_id)
    return response
