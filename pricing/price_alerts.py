"""Logging once when something about the price goes wrong, and once when that is over.

Several processes compute the price every second. The cache keeps which states are logged already, for all of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.core.cache import cache

from pricing import quotes as rules
from pricing import records
from pricing.best_price_cache import KEY, if_up
from pricing.price_inputs import PriceInputs
from pricing.quotes import PricePoint, Quote

log = structlog.get_logger(__name__)

# Two events that overtake each other are normal. An event that outranks its market's later ones for longer is not.
_OUTRANKED_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class _State:
    """Something that may be wrong now: its name, whether it is, and what logs it when it begins."""

    name: str
    holds: bool
    log_it: Callable[[], Any]


def log_changes(inputs: PriceInputs, point: PricePoint, now: datetime) -> None:
    """Log each state that has begun, or is over, since a process last called this.

    The events are `price_unknown`, `feed_outranked`, `lagging_feed_held`, `lagging_feed_given_up` and, for the end of
    any of them, `price_state_over`.
    """
    states = {_key(state): state for state in _states(inputs, point, now)}
    logged: dict[str, int] = if_up(partial(cache.get_many, list(states))) or {}
    for key, state in states.items():
        if state.holds and key not in logged:
            # Another process may be logging it just now. If the cache is down, better twice than not at all.
            if if_up(partial(cache.add, key, 1, timeout=None)) is not False:
                state.log_it()
        elif not state.holds and key in logged and if_up(partial(cache.delete, key)):
            log.info("price_state_over", state=state.name)


def _key(state: _State) -> str:
    return f"{KEY}.{state.name}"


def _states(inputs: PriceInputs, point: PricePoint, now: datetime) -> Iterator[_State]:
    drained_to = {market.value: _iso(instant) for market, instant in inputs.drained_to.items()}
    unknown = partial(log.warning, "price_unknown", at=now.isoformat(), drained_to=drained_to)
    yield _State("unknown", point.price is None, unknown)
    for quote in inputs.quotes:
        yield from _states_of_quote(inputs, quote, now)


def _states_of_quote(inputs: PriceInputs, quote: Quote, now: datetime) -> Iterator[_State]:
    market, freshness, drained_to = quote.market, records.freshness(), inputs.drained_to.get(quote.market)
    facts: dict[str, Any] = {"market": market.value, "reference": quote.reference, "sent_at": quote.sent_at.isoformat()}
    if inputs.outranks_for is not None:
        outranked = partial(log.warning, "feed_outranked", market_time=str(quote.market_time), **facts)
        yield _State(f"outranked.{market}", inputs.outranks_for[market] >= _OUTRANKED_FOR, outranked)
    expiry, end = rules.expires_at(quote, freshness), rules.holds_until(quote, drained_to, freshness)
    lagging = end > expiry <= now
    facts["drained_to"] = _iso(drained_to)
    held = partial(log.warning, "lagging_feed_held", **facts)
    yield _State(f"held.{market}", lagging and now < end, held)
    given_up = partial(log.error, "lagging_feed_given_up", **facts)
    yield _State(f"given_up.{market}", lagging and now >= end, given_up)


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
