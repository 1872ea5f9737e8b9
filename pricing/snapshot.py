"""What the best price now is computed from: each market's last quotes, from the database or from the cache.

The cache, in Redis, never holds the price itself: which quotes are live is decided when a snapshot is evaluated, so a
cached one does not become wrong with age. It may be emptied or down at any moment.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from pricing import guard as guarding
from pricing import reading, records
from pricing import timeline as rules
from pricing.aside import Aside, is_aside
from pricing.guard import Alone, Course, Effective, Guards
from pricing.markets import Market
from pricing.quotes import Level, PricePoint, Quote, holds_until

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

KEY = "pricing.best_price.4"  # count up when the format changes
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
class Snapshot:
    """The quotes that the price now depends on, the guard, and how far each market's feed is drained (None: not known).

    `settled` has what is known of a market at an earlier time; see `guard.judged`. `aside` has when markets are set
    aside.
    """

    quotes: tuple[Quote, ...]
    drained_to: dict[Market, datetime | None]
    guards: Guards = ()
    settled: tuple[Effective, ...] = ()
    aside: Aside = ()

    @cached_property
    def courses(self) -> dict[Market, Course]:
        """What the guard makes of the quotes of each market that ever sent one."""
        settled = {one.quote.market: one for one in self.settled}
        return guarding.judged(self.quotes, self.guards, records.freshness(), settled, self.aside)

    def price_at(self, now: datetime) -> PricePoint:
        """The best price at `now`; it lies where that price began."""
        points = rules.timeline(
            self.courses,
            self.guards,
            drained_to=self.drained_to,
            freshness=records.freshness(),
            reference_quantity=settings.PRICE_REFERENCE_QUANTITY,
            start=min([now, *(quote.sent_at for quote in self.quotes)]),
            end=now,
            aside=self.aside,
        )
        return points[-1]

    def curves(self, now: datetime, point: PricePoint | None = None) -> dict[Market, Curve]:
        """Each market's last effective curve at `now`; a market that never sent a quote is missing.

        One that is stale, or that does not count at present, is not fresh. `point` is the price at `now`, if it is
        known already.
        """
        freshness, found = records.freshness(), {}
        suspect = {quote.market for quote in (point or self.price_at(now)).suspect}
        for market, course in self.courses.items():
            quote = rules.effective_at(course, now)
            if quote is not None:
                holds = now < holds_until(quote, self.drained_to.get(market), freshness)
                counts = market not in suspect and not is_aside(self.aside, market, now)
                found[market] = Curve(market, quote.sell, holds and counts, quote.sent_at)
        return found


def read(
    row_query: str | None = None, row_parameters: Mapping[str, Any] | None = None
) -> tuple[Snapshot, datetime, tuple[Any, ...]]:
    """A snapshot of the database, its instant, and the row of `row_query` (see `reading.newest`).

    Quotes and `drained_to` are read in one statement: a `drained_to` read after the quotes could prove more than they
    show.
    """
    freshness = records.freshness()
    found = reading.newest(freshness.max_age + freshness.max_lag, row_query, row_parameters)
    settled = tuple(found.history.settled.values())
    snapshot = Snapshot(found.history.quotes, found.drained_to, found.guards, settled, found.history.aside)
    return snapshot, found.now, found.row


def read_and_cache() -> tuple[Snapshot, datetime]:
    """A snapshot of the database, now cached if the cache is up, and its instant."""
    snapshot, now, _no_row = read()
    cached = {
        "quotes": [asdict(quote) for quote in snapshot.quotes],
        "drained_to": snapshot.drained_to,
        "guards": [
            [one.id, one.holds_from.isoformat(), one.mode, *map(str, (one.jump, one.agreement, one.dispute))]
            for one in snapshot.guards
        ],
        "settled": [[one.quote.id, one.start, one.alone, one.confirmed_by] for one in snapshot.settled],
        "aside": [[one.market, one.start.isoformat(), one.end.isoformat()] for one in snapshot.aside],
    }
    if_up(partial(cache.set, KEY, json.dumps(cached, default=str), timeout=_SECONDS))
    return snapshot, now


def known() -> tuple[Snapshot, datetime | None]:
    """The cached snapshot; else one of the database and its instant, which is cached then unless the cache is down."""
    text = if_up(partial(cache.get, KEY, ""))
    if text is None:
        return read()[:2]  # to cache it would cost the time-out once more
    return (_parsed(text), None) if text else read_and_cache()


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
                "sell": reading.read_levels(level.values() for level in quote["sell"]),
            }
        )
        for quote in written["quotes"]
    ]
    drained_to = {
        Market(market): datetime.fromisoformat(instant) if instant else None
        for market, instant in written["drained_to"].items()
    }
    by_id = {quote.id: quote for quote in quotes}
    settled = tuple(
        Effective(by_id[pk], datetime.fromisoformat(start), Alone(alone), confirmed_by)
        for pk, start, alone, confirmed_by in written["settled"]
    )
    guards, aside = (json.dumps(written[part]) for part in ("guards", "aside"))
    return Snapshot(tuple(quotes), drained_to, reading.read_guards(guards), settled, reading.read_aside(aside))
