"""Feeds: how to read the prices of each market, one module a market.

A module has the `TOPIC` that the market publishes on, and `parse`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from pricing.feeds.event import Basis, ParsedQuote, Skipped
from pricing.markets import Market

#: Reads a market's body, without any envelope, whose prices are in a basis. Raises Unreadable and nothing else.
Parser = Callable[[str, Basis], ParsedQuote | Skipped]


@dataclass(frozen=True, slots=True)
class FeedSource:
    """Where a market's prices come from, and how to read them."""

    market: Market
    topic: str
    parse: Parser

    @property
    def queue(self) -> str:
        """Our queue, subscribed to the topic."""
        return f"coruscant-{self.market.value.replace('_', '-')}-prices"

    @property
    def dead_letter_queue(self) -> str:
        """Where SQS puts what it has handed out too often."""
        return f"{self.queue}-dead-letters"


def _source(market: Market) -> FeedSource:
    module = import_module(f"pricing.feeds.{market.value}")
    return FeedSource(market, module.TOPIC, module.parse)


FEEDS: dict[Market, FeedSource] = {market: _source(market) for market in Market}
