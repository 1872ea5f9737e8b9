"""What the best price now is computed from: each market's current quote, from the database or from the cache.

The cache, in Redis, never holds the price itself: which quotes are live is decided when a snapshot is evaluated, so a
cached one does not become wrong with age. It may be emptied or down at any moment.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from pricing import quotes as rules
from pricing import records
from pricing.markets import Market
from pricing.quotes import Level, PricePoint, Quote

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

KEY = "pricing.best_price.2"  # count up when the format changes
# Of two refreshes at once the older may be stored last. It is used for no longer than this.
_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Curve:
    """A market's last sell curve (GC a unit), for sizing orders; `fresh`: whether it still counts as a price."""

    market: Market
    levels: tuple[Level, ...]
    fresh: bool
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Each market's current quote, and how far each market's feed is drained (None: not known).

    A market that never sent a quote has none. `outranks_for` is how long each current quote has outranked later ones by
    its own time; None if that is not known, since the cache does not keep it.
    """

    quotes: tuple[Quote, ...]
    drained_to: dict[Market, datetime | None]
    outranks_for: dict[Market, timedelta] | None = None

    def price_at(self, now: datetime) -> PricePoint:
        """The best price at `now`; it lies where that price began."""
        points = rules.timeline(
            self.quotes,
            drained_to=self.drained_to,
            freshness=records.freshness(),
            reference_quantity=settings.PRICE_REFERENCE_QUANTITY,
            start=min([now, *(quote.sent_at for quote in self.quotes)]),
            end=now,
        )
        return points[-1]

    def curves(self, now: datetime) -> dict[Market, Curve]:
        """Each market's last curve at `now`, stale ones too; a market that never sent a quote is missing."""
        freshness, found = records.freshness(), {}
        for quote in self.quotes:
            fresh = now < rules.holds_until(quote, self.drained_to.get(quote.market), freshness)
            found[quote.market] = Curve(quote.market, quote.sell, fresh, quote.sent_at)
        return found


def read(
    row_query: str | None = None, row_parameters: Mapping[str, Any] | None = None
) -> tuple[Snapshot, datetime, tuple[Any, ...]]:
    """A snapshot of the database, its instant, and the row of `row_query` (see `records.newest`).

    Quotes and `drained_to` are read in one statement: a `drained_to` read after the quotes could prove more than they
    show.
    """
    quotes, drained_to, outranks_for = [], {}, {}
    found, now, row = records.newest(records.freshness().max_age, row_query, row_parameters)
    for market, drained, newest, certainly_current in found:
        drained_to[market] = drained
        if newest is not None:
            quote = newest if certainly_current else _current_quote(newest)
            quotes.append(quote)
            outranks_for[market] = newest.sent_at - quote.sent_at
    return Snapshot(tuple(quotes), drained_to, outranks_for), now, row


def read_and_cache() -> tuple[Snapshot, datetime]:
    """A snapshot of the database, now cached if the cache is up, and its instant."""
    snapshot, now, _no_row = read()
    cached = {"quotes": [asdict(quote) for quote in snapshot.quotes], "drained_to": snapshot.drained_to}
    if_up(partial(cache.set, KEY, json.dumps(cached, default=str), timeout=_SECONDS))
    return snapshot, now


def cached() -> Snapshot | None:
    """The cached snapshot; None if there is none or the cache is down."""
    text = if_up(partial(cache.get, KEY))
    return _parsed(text) if isinstance(text, str) else None


def if_up(call: Callable[[], Answer]) -> Answer | None:
    """Call the cache. If it is down that is logged, and None is returned."""
    try:
        return call()
    except (RedisError, OSError) as error:
        log.warning("price_cache_down", error=str(error))
        return None


@lru_cache(maxsize=4)  # the same text is read for every order until a price changes
def _parsed(text: str) -> Snapshot:
    written: dict[str, Any] = json.loads(text)
    quotes = [
        Quote(
            **quote
            | {
                "market": Market(quote["market"]),
                "market_time": Decimal(quote["market_time"]),
                "sent_at": datetime.fromisoformat(quote["sent_at"]),
                "sell": records.read_levels(level.values() for level in quote["sell"]),
            }
        )
        for quote in written["quotes"]
    ]
    drained_to = {
        Market(market): datetime.fromisoformat(instant) if instant else None
        for market, instant in written["drained_to"].items()
    }
    return Snapshot(tuple(quotes), drained_to)


def _current_quote(newest: Quote) -> Quote:
    """The current quote of the market that has sent `newest` last: that one, or an earlier one that outranks it."""
    freshness = records.freshness()
    # Whether a quote is effective depends on those fresh when it was sent, and so on for these. Twice the maximum age
    # leaves enough for a chain of them.
    quotes = records.without_levels(newest.market, newest.sent_at - 2 * freshness.max_age, newest.sent_at)
    current = rules.current_quotes(quotes, freshness).get(newest.market, newest)
    return records.with_levels(current) or newest
