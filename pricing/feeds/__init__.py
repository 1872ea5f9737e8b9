"""Feeds: how to read the prices of each market. A new market takes one file here and one entry in `FEEDS`."""

from dataclasses import dataclass
from typing import Protocol

from pricing.feeds import black_spire_outpost, mos_espa
from pricing.feeds.event import Basis, ParsedQuote, Skipped
from pricing.markets import Market


class Parser(Protocol):
    """Reads a market's body, without any envelope. Raises Unreadable and nothing else."""

    def __call__(self, body: str, basis: Basis) -> ParsedQuote | Skipped:
        """Read `body`, whose prices are in `basis`."""


@dataclass(frozen=True, slots=True)
class FeedSource:
    """Where a market's prices come from, and how to read them. `price_basis_setting` names a Django setting."""

    market: Market
    topic: str
    queue: str
    dead_letter_queue: str
    parse: Parser
    price_basis_setting: str


FEEDS: dict[Market, FeedSource] = {
    source.market: source
    for source in (
        FeedSource(
            market=Market.MOS_ESPA,
            topic="tatooine-mos-espa-prices",
            queue="coruscant-mos-espa-prices",
            dead_letter_queue="coruscant-mos-espa-prices-dead-letters",
            parse=mos_espa.parse,
            price_basis_setting="MOS_ESPA_PRICE_BASIS",
        ),
        FeedSource(
            market=Market.BLACK_SPIRE_OUTPOST,
            topic="batuu-black-spire-outpost-price-stream",
            queue="coruscant-black-spire-outpost-prices",
            dead_letter_queue="coruscant-black-spire-outpost-prices-dead-letters",
            parse=black_spire_outpost.parse,
            price_basis_setting="BLACK_SPIRE_OUTPOST_PRICE_BASIS",
        ),
    )
}
