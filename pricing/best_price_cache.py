"""The cache of the best price, in Redis: what the price is computed from, never the price itself.

So an entry does not become wrong with age: whether its quotes are still live is decided at every read. The cache may
be emptied or down at any moment; the caller then reads the database.
"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, TypeVar

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

from pricing import records
from pricing.markets import Market
from pricing.price_inputs import PriceInputs
from pricing.quotes import Quote

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

KEY = "pricing.best_price.1"  # count up when the format changes
# Of two refreshes at once the older may be stored last. It is used for no longer than this.
_SECONDS = 5


def load() -> PriceInputs | None:
    """The cached inputs; None if there are none or the cache is down."""
    written = if_up(partial(cache.get, KEY))
    return _read(written) if isinstance(written, str) else None


def store(inputs: PriceInputs) -> None:
    """Cache these inputs, if the cache is up."""
    if_up(partial(cache.set, KEY, _written(inputs), timeout=_SECONDS))


def if_up(call: Callable[[], Answer]) -> Answer | None:
    """Call the cache. If it is down that is logged, and None is returned."""
    try:
        return call()
    except (RedisError, OSError) as error:
        log.warning("price_cache_down", error=str(error))
        return None


def _written(inputs: PriceInputs) -> str:
    quotes = [
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
    ]
    drained_to = {market: instant.isoformat() if instant else None for market, instant in inputs.drained_to.items()}
    return json.dumps({"drained_to": drained_to, "quotes": quotes})


@lru_cache(maxsize=4)  # the same text is read for every order until a price changes
def _read(written: str) -> PriceInputs:
    inputs: dict[str, Any] = json.loads(written)
    return PriceInputs(
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
