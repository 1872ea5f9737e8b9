"""Reading quotes, the guard and prices set aside back from JSON, as the database writes it and the cache keeps it."""

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from pricing.aside import Aside, Interval
from pricing.guard import Alone, Effective, Guard, Guards, Mode
from pricing.markets import Market
from pricing.quotes import Level, Quote

#: Quotes, the guard, what is settled of each market (see `guard.judged`), and when markets are set aside.
Written = tuple[tuple[Quote, ...], Guards, dict[Market, Effective], Aside]


def read_quotes(written: str) -> Written:
    """The quotes of `Newest`, and what judges them."""
    guards, aside, rows = json.loads(written)
    quotes, settled = [], {}
    for pk, market, market_time, sent_at, reference, too_late, sell, is_settled, since, alone, confirmed_by in rows:
        quote = Quote(
            pk, Market(market), Decimal(market_time), datetime.fromisoformat(sent_at), read_levels(sell), reference,
            too_late,
        )  # fmt: skip
        quotes.append(quote)
        if is_settled:
            settled[quote.market] = Effective(quote, datetime.fromisoformat(since), Alone(alone), confirmed_by)
    return tuple(quotes), read_guards(guards), settled, read_aside(aside)


def read_drained_to(written: str) -> dict[Market, datetime | None]:
    """How far each feed is drained, of `Newest`."""
    found = json.loads(written)
    return {market: datetime.fromisoformat(found[market]) if found.get(market) else None for market in Market}


def read_levels(written: Iterable[Iterable[str]]) -> tuple[Level, ...]:
    """Levels as they are stored (see `records.written_levels`)."""
    return tuple(Level(Decimal(quantity), Decimal(price)) for quantity, price in written)


@lru_cache(maxsize=8)
def read_guards(written: str) -> Guards:
    """The guard's rows, from a JSON list of lists."""
    return tuple(
        Guard(datetime.fromisoformat(since), Mode(mode), Decimal(jump), Decimal(agreement), Decimal(dispute), number)
        for number, since, mode, jump, agreement, dispute in json.loads(written)
    )


@lru_cache(maxsize=8)
def read_aside(written: str) -> Aside:
    """When markets are set aside, from a JSON list of lists."""
    return tuple(
        Interval(Market(market), datetime.fromisoformat(start), datetime.fromisoformat(end))
        for market, start, end in json.loads(written)
    )
