"""The venues: one file a market, from an order to the market's answer."""

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
    """How to speak to one market: where, with what body, and how to read what comes back."""

    url_setting: str
    path: str
    payload: Callable[[str, Decimal], str]
    read: _Reader


#: Adding a market is one file beside this one and one line here.
VENUES: dict[Market, VenueProtocol] = {
    Market.MOS_ESPA: VenueProtocol("MOS_ESPA_URL", mos_espa.PATH, mos_espa.payload, mos_espa.read),
    Market.BLACK_SPIRE_OUTPOST: VenueProtocol(
        "BLACK_SPIRE_OUTPOST_URL", black_spire_outpost.PATH, black_spire_outpost.payload, black_spire_outpost.read
    ),
}


def send_order(market: Market, payload: str, *, request_id: str, at_most_seconds: float) -> Answer:
    """Send an order once and read the answer. Never raises for I/O.

    Within MARKET_TIMEOUT_SECONDS in total, and within `at_most_seconds`, what is left of the sender's lease.
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
