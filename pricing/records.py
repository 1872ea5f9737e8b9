"""Quotes as rows: their columns, and the three SELECTs that are written by hand because they run for every price.

Nothing here decides anything. docs/decisions/0019 says what the hand-written statements gain.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Coalesce

from coruscant import clock, money
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.quotes import Freshness, Level, Quote, effective_quotes

_QUOTE = "id, market, market_time, sent_at, coalesce(event_id, message_id), too_late"
_QUOTE_COLUMNS = 6
# True of a quote whose own time is no older than that of any quote sent within the maximum age before it. Whatever was
# sent before that, such a quote is effective (see quotes.effective_quotes).
_CERTAINLY_EFFECTIVE = """
    q.market_time >= (
        SELECT max(before.market_time) FROM pricing_pricequote before WHERE before.market = q.market
        AND before.sent_at <= q.sent_at AND before.sent_at > q.sent_at - make_interval(secs => %(max_age)s)
    )
"""
# One row a market, all read at one instant.
_PROGRESS = """
    SELECT (SELECT min(sent_at) FROM pricing_pricequote WHERE evaluated_at IS NULL),
           (SELECT max(evaluated_at) FROM pricing_pricequote
            WHERE market = ANY(%(markets)s) AND sent_at > %(since)s AND NOT too_late),
           market, f.drained_to, e.known_drained_to
    FROM unnest(%(markets)s::text[]) AS each_market(market)
    LEFT JOIN pricing_feed f USING (market) LEFT JOIN pricing_feedevaluation e USING (market)
"""
# The quotes from each market's last certainly effective one before `since` on have the same effective quotes among them
# as all quotes have. PostgreSQL plans this statement for its bounds each time, and that is wanted: one plan for any
# bounds would read all quotes between them.
_HISTORY = f"""
    SELECT {_QUOTE}, sell, evaluated_at IS NOT NULL, max(evaluated_at) FILTER (WHERE NOT too_late) OVER ()
    FROM unnest(%(markets)s::text[]) AS each_market(name)
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT sent_at FROM pricing_pricequote q
            WHERE market = each_market.name AND sent_at < %(since)s AND sent_at > %(no_earlier)s
            AND {_CERTAINLY_EFFECTIVE}
            ORDER BY sent_at DESC LIMIT 1
        ), %(no_earlier)s) AS at
    ) AS first
    JOIN LATERAL (
        SELECT * FROM pricing_pricequote
        WHERE market = each_market.name AND sent_at >= first.at AND sent_at <= %(until)s
    ) AS quote ON true
    ORDER BY sent_at, id
"""  # noqa: S608
# The markets are literals here, so PostgreSQL plans this statement once. For an array given as a parameter it assumes
# ten elements, estimates that one plan for all parameters would be expensive, and plans anew each time.
_MARKETS = "(VALUES {})".format(", ".join(f"('{market.value}')" for market in Market))
_NEWEST = f"""
    SELECT {clock.COLUMN} AS now, each_market.market, f.drained_to, newest.*
    FROM {_MARKETS} AS each_market(market) LEFT JOIN pricing_feed f ON f.market = each_market.market
    LEFT JOIN LATERAL (
        SELECT {_QUOTE}, sell, {_CERTAINLY_EFFECTIVE}
        FROM pricing_pricequote q WHERE market = each_market.market
        ORDER BY sent_at DESC, market_time DESC, coalesce(event_id, message_id) COLLATE "C" DESC, id DESC LIMIT 1
    ) newest ON true
"""  # noqa: S608
_NEWEST_COLUMNS = 3 + _QUOTE_COLUMNS + 2  # as selected at the top of that statement


@dataclass(frozen=True, slots=True)
class Progress:
    """How far evaluations have come.

    `earliest` is when the earliest unevaluated quote was sent. `evaluated_to` is when the last of the recent quotes was
    evaluated, not counting those that were too late. `drained_to` is how far each feed is drained, `known_drained_to`
    how far that was known at the last evaluation. None: there is none, or it is not known.
    """

    earliest: datetime | None
    evaluated_to: datetime | None
    drained_to: dict[Market, datetime | None]
    known_drained_to: dict[Market, datetime | None]


#: A market, how far its feed is drained (None: not known), its newest quote with its levels (None: it never sent any),
#: and whether it is certain that this quote is the current one. If not, the quotes sent before it decide.
Newest = tuple[Market, datetime | None, Quote | None, bool]


def freshness() -> Freshness:
    """How long quotes hold, from the settings."""
    return Freshness(
        max_age=timedelta(seconds=settings.PRICE_MAX_AGE_SECONDS),
        max_lag=timedelta(seconds=settings.FEED_MAX_LAG_SECONDS),
    )


def written_levels(levels: Iterable[Level]) -> list[list[str]]:
    """Levels as they are stored: [quantity, unit price] as decimal strings."""
    return [[money.decimal_string(level.quantity), money.decimal_string(level.unit_price)] for level in levels]


def read_levels(written: Iterable[Iterable[str]]) -> tuple[Level, ...]:
    """The reverse of `written_levels`."""
    return tuple(Level(Decimal(quantity), Decimal(price)) for quantity, price in written)


def progress(*, since: datetime) -> Progress:
    """How far evaluations have come, by the quotes sent after `since`."""
    rows = _rows(_PROGRESS, {"markets": list(Market), "since": since})
    earliest, evaluated_to, *_feed = rows[0]
    drained_to = {Market(market): drained for *_, market, drained, _known in rows}
    known_drained_to = {Market(market): known for *_, market, _drained, known in rows}
    return Progress(earliest, evaluated_to, drained_to, known_drained_to)


def history(
    since: datetime, until: datetime, *, no_earlier: datetime
) -> tuple[list[Quote], list[Quote], datetime | None]:
    """All quotes sent in [since, until] with their sell levels, and the earlier ones that decide which are effective.

    The earlier ones begin with each market's last certainly effective quote before `since`. If there is none sent after
    `no_earlier`, they begin at that instant. Quotes are in the order they were sent. Returns also those of them not yet
    evaluated, and when the last of the others was evaluated, not counting those that were too late (None: no others).
    """
    max_age = freshness().max_age.total_seconds()
    bounds = {"since": since, "until": until, "no_earlier": no_earlier}
    rows = _rows(_HISTORY, {"markets": list(Market), "max_age": max_age, **bounds})
    quotes = [replace(_quote(row), sell=read_levels(json.loads(row[6]))) for row in rows]
    unevaluated = [quote for quote, row in zip(quotes, rows, strict=True) if not row[7]]
    return quotes, unevaluated, rows[0][8] if rows else None


def newest(
    max_age: timedelta, row_query: str | None = None, row_parameters: Mapping[str, Any] | None = None
) -> tuple[list[Newest], datetime, tuple[Any, ...]]:
    """Each market's newest quote, however old, the instant of the read, and the row of `row_query`, in one statement.

    `row_query` must give exactly one row; without it the row is empty. Its parameters are named, and none of them is
    `max_age`.
    """
    query = _NEWEST
    if row_query is not None:
        query = f"SELECT newest.*, other.* FROM ({_NEWEST}) AS newest CROSS JOIN ({row_query}) AS other"  # noqa: S608
    rows = _rows(query, {"max_age": max_age.total_seconds(), **(row_parameters or {})})
    found = []
    for _now, market, drained_to, *columns, sell, certain in (row[:_NEWEST_COLUMNS] for row in rows):
        quote = None if columns[0] is None else _quote_with_levels(tuple(columns), sell)
        found.append((Market(market), drained_to, quote, bool(certain)))
    return found, clock.read(rows[-1][0]), rows[-1][_NEWEST_COLUMNS:]


def sell_curves(market: Market, since: datetime, until: datetime) -> list[tuple[Level, ...]]:
    """The sell curves of a market's quotes that were effective at some time in [since, until], in order.

    One that began to hold more than twice the maximum age and lag before `since` is missing.
    """
    fresh = freshness()
    quotes, _unevaluated, _evaluated_to = history(since, until, no_earlier=since - 2 * (fresh.max_age + fresh.max_lag))
    effective = effective_quotes((quote for quote in quotes if quote.market == market), fresh)
    before = [quote for quote in effective if quote.sent_at <= since]
    return [quote.sell for quote in [*before[-1:], *(quote for quote in effective if quote.sent_at > since)]]


def without_levels(market: Market, since: datetime, until: datetime) -> list[Quote]:
    """A market's quotes sent in [since, until], without their levels: enough to find the current one of them."""
    rows = PriceQuote.objects.filter(market=market, sent_at__gte=since, sent_at__lte=until).order_by()
    columns = rows.values_list("id", "market_time", "sent_at", Coalesce("event_id", "message_id"), "too_late")
    return [Quote(pk, market, own, sent_at, (), reference, late) for pk, own, sent_at, reference, late in columns]


def with_levels(quote: Quote) -> Quote | None:
    """The quote with its sell levels; None if its row is gone."""
    sell = PriceQuote.objects.filter(pk=quote.id).values_list("sell", flat=True).first()
    return None if sell is None else replace(quote, sell=read_levels(sell))


def _rows(query: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@lru_cache(maxsize=16)  # the same rows are read again until a price changes
def _quote_with_levels(row: tuple[Any, ...], sell: str) -> Quote:
    return replace(_quote(row), sell=read_levels(json.loads(sell)))


def _quote(row: tuple[Any, ...]) -> Quote:
    """A quote from the columns of `_QUOTE`, without its levels."""
    return Quote(row[0], Market(row[1]), row[2], row[3], (), row[4], row[5])
