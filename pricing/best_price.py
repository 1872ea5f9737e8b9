"""The best price now: a cached copy of what it is computed from, rebuilt from the database when it is missing.

The cache (Redis) holds inputs, never an answer: each market's standing quote and how far its feed is drained. Their
freshness is judged at every look, by the database's clock. A cache that is down or emptied costs a few queries.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, TypeVar

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from coruscant import clock
from pricing import quotes as rules
from pricing import records
from pricing.markets import Market
from pricing.quotes import Level, PricePoint, Quote
from pricing.records import Beside

log = structlog.get_logger(__name__)

Found = TypeVar("Found")
#: Writes a line to the log.
Tell = Callable[..., Any]

_KEY = "pricing.best_price.1"  # a new number for a new form
# Two refreshes may overtake each other and leave the older one; it is believed no longer than this.
_CACHE_SECONDS = 5
# An event overtaken by its predecessor is everyday; one that outranks its market for longer is not.
_OUTRANKED_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Curve:
    """A market's last sell curve (GC a unit), for sizing orders; `fresh` tells whether it still counts as a price."""

    market: Market
    levels: tuple[Level, ...]
    fresh: bool
    sent_at: datetime
    quote_id: int


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What the price now is computed from."""

    quotes: tuple[Quote, ...]
    drained_to: dict[Market, datetime | None]
    #: For how long each standing quote has outranked later ones by its own time; the cache does not say.
    outranked: dict[Market, timedelta] | None = None


def current() -> PricePoint:
    """The best price now, from the cache if it has one."""
    inputs, now = _cached_now() or _rebuilt()
    point = _evaluate(inputs, now)
    if point.price is None:
        _tell_changes(inputs, point, now)  # pollers that are all gone could not
    return point


def current_uncached() -> PricePoint:
    """The best price now, never from the cache: for decisions. One statement sees all that was committed before it."""
    inputs, now, _no_row = _from_database()
    return _evaluate(inputs, now)


def current_beside(query: str, parameters: Mapping[str, Any]) -> tuple[PricePoint, tuple[Any, ...]]:
    """The best price now, never from the cache, and the one row that another query gives, read in the same look.

    For decisions: the look is one statement, which sees all that was committed before it and nothing newer.
    """
    inputs, now, row = _from_database(Beside(query, parameters))
    return _evaluate(inputs, now), row


def refresh() -> PricePoint:
    """Rebuild the cache from the database; what has become unknown or late is logged once per change."""
    inputs, now = _rebuilt()
    point = _evaluate(inputs, now)
    _tell_changes(inputs, point, now)
    return point


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was known of all markets' quotes at one look, to be evaluated at an instant later than it."""

    _inputs: _Inputs

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


def snapshot() -> Snapshot:
    """Look at the quotes of all markets, in the cache if it has them. Call it before any row is locked."""
    return Snapshot(_cached() or _rebuilt()[0])


def _evaluate(inputs: _Inputs, now: datetime) -> PricePoint:
    # From the oldest quote on, so that the last point lies where the present price began.
    return rules.timeline(
        inputs.quotes,
        drained_to=inputs.drained_to,
        freshness=records.freshness(),
        reference_quantity=records.reference_quantity(),
        start=min([now, *(quote.sent_at for quote in inputs.quotes)]),
        end=now,
    )[-1]


def _from_database(beside: Beside | None = None) -> tuple[_Inputs, datetime, tuple[Any, ...]]:
    """The inputs, the instant at which they were read, and the row of what was read beside them."""
    # Drained and quotes in one look: a drained_to read after the quotes could prove more than they show.
    found, drained_to, outranked = [], {}, {}
    newest_quotes, now, row = records.newest(records.freshness().max_age, beside)
    for newest in newest_quotes:
        drained_to[newest.market] = newest.drained_to
        if newest.quote is None:
            continue
        quote = newest.quote if newest.stands else _outranking(newest.quote)
        found.append(quote)
        outranked[newest.market] = newest.quote.sent_at - quote.sent_at
    return _Inputs(tuple(found), drained_to, outranked), now, row


def _outranking(newest: Quote) -> Quote:
    """The quote that stands although its market has sent `newest` since, or that itself, with its levels."""
    freshness = records.freshness()
    # Whether a quote takes part depends on those fresh when it was sent; twice that leaves room for a chain of them.
    standing = rules.current_quotes(records.latest_times([newest.market], 2 * freshness.max_age), freshness)
    quote = standing.get(newest.market, newest)
    levels = records.levels_of([quote.id])
    return replace(quote, sell=levels[quote.id]) if quote.id in levels else newest


def _rebuilt() -> tuple[_Inputs, datetime]:
    inputs, now, _nothing = _from_database()
    _with_cache(lambda: cache.set(_KEY, _written(inputs), timeout=_CACHE_SECONDS))
    return inputs, now


def _cached_now() -> tuple[_Inputs, datetime] | None:
    inputs = _cached()
    return (inputs, clock.now()) if inputs else None


def _cached() -> _Inputs | None:
    written = _with_cache(lambda: cache.get(_KEY))
    return _read(written) if isinstance(written, str) else None


def _with_cache(look: Callable[[], Found]) -> Found | None:
    """Do something with the cache; a cache that is down is logged, and None is the answer."""
    try:
        return look()
    except (RedisError, OSError) as error:
        log.warning("price_cache_down", error=str(error))
        return None


def _tell_changes(inputs: _Inputs, point: PricePoint, now: datetime) -> None:
    """Log what has become so since the last look of any process, and what is no longer so."""
    states = list(_states(inputs, point, now))
    told: dict[str, int] = _with_cache(lambda: cache.get_many([_state_key(state) for state, *_ in states])) or {}
    for state, holds, tell, facts in states:
        key = _state_key(state)
        if holds and key not in told:
            # Another process may tell it just now. A cache that is down cannot say: better told twice than not at all.
            if _with_cache(partial(cache.add, key, 1, timeout=None)) is not False:
                tell(**facts)
        elif not holds and key in told and _with_cache(partial(cache.delete, key)):
            log.info("price_state_over", state=state)


def _states(inputs: _Inputs, point: PricePoint, now: datetime) -> Iterator[tuple[str, bool, Tell, dict[str, Any]]]:
    """What may hold now: its name, whether it does, and how and with what it is logged when it begins."""
    drained_to, freshness = inputs.drained_to, records.freshness()
    unknown = partial(log.warning, "price_unknown")
    yield "unknown", point.price is None, unknown, {"at": now.isoformat(), "drained_to": _iso(drained_to)}
    for quote in inputs.quotes:
        drained = drained_to.get(quote.market)
        facts: dict[str, Any] = {
            "market": quote.market.value,
            "reference": quote.reference,
            "sent_at": quote.sent_at.isoformat(),
        }
        if inputs.outranked is not None:
            outranked = inputs.outranked[quote.market] >= _OUTRANKED_FOR
            tell = partial(log.warning, "feed_outranked", market_time=str(quote.market_time))
            yield f"outranked.{quote.market}", outranked, tell, facts
        expiry, death = rules.expires_at(quote, freshness), rules.holds_until(quote, drained, freshness)
        lagging = death > expiry <= now
        facts = {**facts, "drained_to": drained.isoformat() if drained else None}
        yield f"held.{quote.market}", lagging and now < death, partial(log.warning, "lagging_feed_held"), facts
        given_up = partial(log.error, "lagging_feed_given_up")
        yield f"given_up.{quote.market}", lagging and now >= death, given_up, facts


def _state_key(state: str) -> str:
    return f"{_KEY}.{state}"


def _iso(instants: dict[Market, datetime | None]) -> dict[str, str | None]:
    return {market.value: instant.isoformat() if instant else None for market, instant in instants.items()}


def _written(inputs: _Inputs) -> str:
    return json.dumps(
        {
            "drained_to": _iso(inputs.drained_to),
            "quotes": [
                {
                    "id": quote.id,
                    "market": quote.market,
                    "market_time": str(quote.market_time),
                    "sent_at": quote.sent_at.isoformat(),
                    "sell": records.written_levels(quote.sell),
                    "reference": quote.reference,
                    "too_late": quote.too_late,
                }
                for quote in inputs.quotes
            ],
        }
    )


@lru_cache(maxsize=4)  # the same text is read for every order until a price changes
def _read(written: str) -> _Inputs:
    inputs: dict[str, Any] = json.loads(written)
    return _Inputs(
        quotes=tuple(
            Quote(
                id=quote["id"],
                market=Market(quote["market"]),
                market_time=Decimal(quote["market_time"]),
                sent_at=datetime.fromisoformat(quote["sent_at"]),
                sell=records.read_levels(quote["sell"]),
                reference=quote["reference"],
                too_late=quote["too_late"],
            )
            for quote in inputs["quotes"]
        ),
        drained_to={
            Market(market): datetime.fromisoformat(instant) if instant else None
            for market, instant in inputs["drained_to"].items()
        },
    )
