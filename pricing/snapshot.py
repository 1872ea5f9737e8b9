"""What the best price now is computed from: each market's last quotes, from the database or from the cache.

The cache, in Redis, never holds the price itself: which quotes are live is decided when a snapshot is evaluated, so a
cached one does not become wrong with age. It may be emptied or down at any moment.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache, partial
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from pricing import guard as guarding
from pricing import reading, records, written
from pricing import timeline as rules
from pricing.aside import Aside, Interval, is_aside
from pricing.guard import Course, Effective, Guards
from pricing.markets import Market
from pricing.quotes import Freshness, Level, PricePoint, Quote, holds_until

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

KEY = "pricing.best_price.5"  # count up when the format changes
# Of two refreshes at once the older may be stored last. It is used for no longer than this.
_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Curve:
    """A market's last effective sell curve (GC a unit), for sizing orders; `fresh`: whether it counts as a price."""

    market: Market
    levels: tuple[Level, ...]
    fresh: bool
    sent_at: datetime


@dataclass(frozen=True)
class Judged:
    """The quotes that the price now depends on, and what judges them.

    `settled` has what is known of a market at an earlier time; see `guard.judged`. `aside` has when markets are set
    aside.
    """

    quotes: tuple[Quote, ...]
    guards: Guards
    settled: Mapping[Market, Effective]
    aside: Aside
    freshness: Freshness

    @cached_property
    def courses(self) -> dict[Market, Course]:
        """What the guard makes of the quotes of each market that ever sent one."""
        return guarding.judged(self.quotes, self.guards, self.freshness, self.settled, self.aside)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The quotes that the price now depends on, and how far each market's feed is drained (None: not known)."""

    judged: Judged
    drained_to: dict[Market, datetime | None]

    @property
    def courses(self) -> dict[Market, Course]:
        """What the guard makes of the quotes of each market that ever sent one."""
        return self.judged.courses

    def price_at(self, now: datetime) -> PricePoint:
        """The best price at `now`; it lies where that price began."""
        return rules.latest(
            self.courses,
            self.judged.guards,
            drained_to=self.drained_to,
            freshness=self.judged.freshness,
            reference_quantity=settings.PRICE_REFERENCE_QUANTITY,
            start=min([now, *(quote.sent_at for quote in self.judged.quotes)]),
            end=now,
            aside=self.judged.aside,
        )

    def without(self, market: Market, start: datetime, end: datetime) -> "Snapshot":
        """This snapshot with the prices of a market set aside in [start, end)."""
        aside = (*self.judged.aside, Interval(market, start, end))
        return replace(self, judged=replace(self.judged, aside=aside))

    def curves(self, now: datetime, point: PricePoint | None = None) -> dict[Market, Curve]:
        """Each market's last effective curve at `now`; a market that never sent a quote is missing.

        One that is stale, or that does not count at present, is not fresh. `point` is the price at `now`, if it is
        known already.
        """
        freshness, found = self.judged.freshness, {}
        suspect = {quote.market for quote in (point or self.price_at(now)).suspect}
        for market, course in self.courses.items():
            quote = rules.effective_at(course, now)
            if quote is not None:
                holds = now < holds_until(quote, self.drained_to.get(market), freshness)
                counts = market not in suspect and not is_aside(self.judged.aside, market, now)
                found[market] = Curve(market, quote.sell, holds and counts, quote.sent_at)
        return found


def read(
    row_query: str | None = None, row_parameters: Mapping[str, Any] | None = None
) -> tuple[Snapshot, datetime, tuple[Any, ...]]:
    """A snapshot of the database, its instant, and the row of `row_query` (see `reading.newest`).

    Quotes and `drained_to` are read in one statement: a `drained_to` read after the quotes could prove more than they
    show.
    """
    found = _newest(row_query, row_parameters)
    return _snapshot(found.drained_to, found.quotes), found.now, found.row


def read_and_cache() -> tuple[Snapshot, datetime]:
    """A snapshot of the database, now cached if the cache is up, and its instant."""
    found = _newest()
    cached = json.dumps([found.drained_to, found.quotes])
    if_up(partial(cache.set, KEY, cached, timeout=_SECONDS))
    return _snapshot(found.drained_to, found.quotes), found.now


def known() -> tuple[Snapshot, datetime | None]:
    """The cached snapshot; else one of the database and its instant, which is cached then unless the cache is down."""
    text = if_up(partial(cache.get, KEY, ""))
    if text is None:
        return read()[:2]  # to cache it would cost the time-out once more
    return (_snapshot(*json.loads(text)), None) if text else read_and_cache()


def if_up(call: Callable[[], Answer]) -> Answer | None:
    """Call the cache. If it is down that is logged, and None is returned."""
    try:
        return call()
    except (RedisError, OSError) as error:
        log.warning("price_cache_down", error=str(error))
        return None


def _newest(row_query: str | None = None, row_parameters: Mapping[str, Any] | None = None) -> reading.Newest:
    freshness = records.freshness()
    return reading.newest(freshness.max_age + freshness.max_lag, row_query, row_parameters)


def _snapshot(drained_to: str, quotes: str) -> Snapshot:
    return Snapshot(_judged(quotes, records.freshness()), written.read_drained_to(drained_to))


@lru_cache(maxsize=4)  # the same quotes are read for every posting and order until one comes
def _judged(quotes: str, freshness: Freshness) -> Judged:
    return Judged(*written.read_quotes(quotes), freshness)
