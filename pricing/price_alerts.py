"""Logging once when something about the price goes wrong, and once when that is over.

Several processes compute the price every second. The cache keeps which states are logged already, for all of them.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.core.cache import cache

from pricing import records
from pricing.markets import Market
from pricing.quotes import PricePoint, expires_at, holds_until
from pricing.snapshot import KEY, Snapshot, if_up

log = structlog.get_logger(__name__)

# Two events that overtake each other are normal. An event that outranks its market's later ones for longer is not.
_OUTRANKED_FOR = timedelta(seconds=5)


def log_changes(snapshot: Snapshot, point: PricePoint, now: datetime) -> None:
    """Log each state that has begun, or is over, since a process last called this.

    The events are `price_unknown`, `prices_disputed`, `price_jump_pending`, `market_suspect`, `feed_outranked`,
    `lagging_feed_held`, `lagging_feed_given_up` and, for the end of any of them, `price_state_over`.
    """
    states = {f"{KEY}.{state[0]}": state for state in _states(snapshot, point, now)}
    logged: dict[str, int] | None = if_up(partial(cache.get_many, list(states)))
    for key, (name, holds, log_it) in states.items():
        if logged is None:  # if the cache is down, better each time than not at all
            if holds:
                log_it()
        elif holds and key not in logged:
            # Another process may be logging it just now.
            if if_up(partial(cache.add, key, 1, timeout=None)) is not False:
                log_it()
        elif not holds and key in logged and if_up(partial(cache.delete, key)):
            log.info("price_state_over", state=name)


def _states(snapshot: Snapshot, point: PricePoint, now: datetime) -> Iterator[tuple[str, bool, Callable[[], Any]]]:
    """What may be wrong now: the name, whether it is, and what logs it when it begins."""
    freshness = records.freshness()
    drained_to = {market.value: at.isoformat() if at else None for market, at in snapshot.drained_to.items()}
    unknown = partial(log.warning, "price_unknown", at=now.isoformat(), drained_to=drained_to)
    yield "unknown", point.price is None, unknown
    prices = {quote.market.value: quote.reference for quote in (*point.quotes, *point.suspect)}
    yield "disputed", point.disputed, partial(log.warning, "prices_disputed", **prices)
    for name in Market:
        held = [quote.reference for quote in point.pending if quote.market == name]
        jump = partial(log.warning, "price_jump_pending", market=name.value, references=held)
        yield f"pending.{name.value}", bool(held), jump
        doubted = [quote.reference for quote in point.suspect if quote.market == name]
        alone = partial(log.error, "market_suspect", market=name.value, references=doubted)
        yield f"suspect.{name.value}", bool(doubted), alone
    for name, course in snapshot.courses.items():
        if not course.effective:
            continue
        market, quote = name.value, course.effective[-1].quote
        facts = {"market": market, "reference": quote.reference, "sent_at": quote.sent_at.isoformat()}
        outranked = partial(log.warning, "feed_outranked", market_time=str(quote.market_time), **facts)
        behind = course.newest.sent_at - quote.sent_at
        yield f"outranked.{market}", course.is_outranked and behind >= _OUTRANKED_FOR, outranked
        expiry = expires_at(quote, freshness)
        end = holds_until(quote, snapshot.drained_to.get(name), freshness)
        lagging, lag = end > expiry <= now, {**facts, "drained_to": drained_to.get(market)}
        yield f"held.{market}", lagging and now < end, partial(log.warning, "lagging_feed_held", **lag)
        yield f"given_up.{market}", lagging and now >= end, partial(log.error, "lagging_feed_given_up", **lag)
