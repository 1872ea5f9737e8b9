"""The best price now, and each market's last curve.

Both are computed from a few inputs, taken from the cache if it has them, else from the database. They are evaluated at
every call by the database's clock, so a cached price expires in time. Without the cache a call costs a query or two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coruscant import clock
from pricing import best_price_cache, price_alerts, price_inputs, records
from pricing import quotes as rules
from pricing.markets import Market
from pricing.price_inputs import PriceInputs
from pricing.quotes import Level, PricePoint


@dataclass(frozen=True, slots=True)
class Curve:
    """A market's last sell curve (GC a unit), for sizing orders; `fresh` tells whether it still counts as a price."""

    market: Market
    levels: tuple[Level, ...]
    fresh: bool
    sent_at: datetime
    quote_id: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was known of all markets' quotes when it was taken, to be evaluated at a later instant."""

    _inputs: PriceInputs

    def curves(self, now: datetime) -> dict[Market, Curve]:
        """Each market's last curve at `now`, stale ones too; a market that never sent a quote is missing."""
        inputs, freshness = self._inputs, records.freshness()
        return {
            quote.market: Curve(
                market=quote.market,
                levels=quote.sell,
                fresh=now < rules.holds_until(quote, inputs.drained_to.get(quote.market), freshness),
                sent_at=quote.sent_at,
                quote_id=quote.id,
            )
            for quote in inputs.quotes
        }


def current() -> PricePoint:
    """The best price now, from the cache if it has one."""
    cached = best_price_cache.load()
    inputs, now = (cached, clock.now()) if cached else _rebuild_cache()
    point = inputs.price_at(now)
    if point.price is None:
        price_alerts.log_changes(inputs, point, now)  # nobody else may: perhaps no poller is left
    return point


def current_uncached() -> PricePoint:
    """The best price now, never from the cache: for decisions. One statement sees all that was committed before it."""
    inputs, now, _no_row = price_inputs.read()
    return inputs.price_at(now)


def current_with_row(query: str, parameters: Mapping[str, Any]) -> tuple[PricePoint, tuple[Any, ...]]:
    """The best price now, never from the cache, and the one row of `query`, read in the same statement.

    For decisions: one statement sees all that was committed before it began, and nothing newer. `query` must give
    exactly one row. Its parameters are named, and none of them is `max_age`.
    """
    inputs, now, row = price_inputs.read(query, parameters)
    return inputs.price_at(now), row


def refresh() -> PricePoint:
    """Rebuild the cache from the database, and log what has changed about the price (see `price_alerts`)."""
    inputs, now = _rebuild_cache()
    point = inputs.price_at(now)
    price_alerts.log_changes(inputs, point, now)
    return point


def snapshot() -> Snapshot:
    """The quotes of all markets as they are known now. Reads Redis, so call it before any row is locked."""
    return Snapshot(best_price_cache.load() or _rebuild_cache()[0])


def _rebuild_cache() -> tuple[PriceInputs, datetime]:
    """The inputs from the database, now cached, and the instant at which they were read."""
    inputs, now, _no_row = price_inputs.read()
    best_price_cache.store(inputs)
    return inputs, now
