"""The best price now, by the database's clock: from the cache if it has the quotes, else from the database."""

from collections.abc import Mapping
from typing import Any

from coruscant import clock
from pricing import price_alerts
from pricing import snapshot as snapshots
from pricing.quotes import PricePoint
from pricing.snapshot import Snapshot


def current() -> PricePoint:
    """The best price now, from the cache if it has one."""
    found, at = snapshots.known()
    now = at or clock.now()
    point = found.price_at(now)
    if point.price is None:
        price_alerts.log_changes(found, point, now)  # nobody else may: perhaps no poller is left
    return point


def current_uncached() -> PricePoint:
    """The best price now, never from the cache: for decisions. One statement sees all that was committed before it."""
    found, now, _no_row = snapshots.read()
    return found.price_at(now)


def current_with_row(query: str, parameters: Mapping[str, Any]) -> tuple[PricePoint, tuple[Any, ...]]:
    """As `current_uncached`, and the one row of `query`, read in the same statement (see `reading.newest`)."""
    found, now, row = snapshots.read(query, parameters)
    return found.price_at(now), row


def refresh() -> PricePoint:
    """Read the database anew, cache it, and log what has changed about the price (see `price_alerts`)."""
    found, now = snapshots.read_and_cache()
    point = found.price_at(now)
    price_alerts.log_changes(found, point, now)
    return point


def snapshot() -> Snapshot:
    """The quotes of all markets as they are known now. Reads Redis, so call it before any row is locked."""
    return snapshots.known()[0]
