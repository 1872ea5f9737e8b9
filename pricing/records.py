"""Quotes and feeds as rows: how they are written and read. Nothing here decides anything."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection

from coruscant import clock, money
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.quotes import Freshness, Level, Quote

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Without bounds of time any parameters have the same plan, so the markets stand in the text: of a list given as a
# parameter PostgreSQL supposes ten, takes one plan for all to be dear, and plans anew each time.
_MARKETS = "(VALUES {})".format(", ".join(f"('{market.value}')" for market in Market))
# These run for every new quote, so without the ORM, and instants come as whole microseconds.
_QUOTE = (
    "id, market, market_time, (extract(epoch FROM sent_at) * 1000000)::bigint, coalesce(event_id, message_id), too_late"
)
_QUOTE_COLUMNS = 6
# A quote that is no older, by its market's own time, than all sent within the greatest age before it takes part.
_CERTAIN = """
    q.market_time >= (
        SELECT max(before.market_time) FROM pricing_pricequote before WHERE before.market = q.market
        AND before.sent_at <= q.sent_at AND before.sent_at > q.sent_at - make_interval(secs => %(max_age)s)
    )
"""
# The anchor of each market is its last certain quote sent before `since`: what follows is judged as if all were read.
# Planned anew for its bounds each time, and well that it is: one plan for any bounds reads all quotes between them.
_HISTORY = f"""
    SELECT {_QUOTE}, sell, evaluated_at IS NOT NULL,
           (extract(epoch FROM max(evaluated_at) FILTER (WHERE NOT too_late) OVER ()) * 1000000)::bigint
    FROM unnest(%(markets)s::text[]) AS asked(name)
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT sent_at FROM pricing_pricequote q
            WHERE market = asked.name AND sent_at < %(since)s AND sent_at > %(no_earlier)s AND {_CERTAIN}
            ORDER BY sent_at DESC LIMIT 1
        ), %(no_earlier)s) AS at
    ) AS anchor
    JOIN LATERAL (
        SELECT * FROM pricing_pricequote WHERE market = asked.name AND sent_at >= anchor.at AND sent_at <= %(until)s
    ) AS quote ON true
    ORDER BY sent_at, id
"""  # noqa: S608
_PROGRESS = """
    SELECT (SELECT min(sent_at) FROM pricing_pricequote WHERE evaluated_at IS NULL),
           (SELECT max(evaluated_at) FROM pricing_pricequote
            WHERE market = ANY(%(markets)s) AND sent_at > %(since)s AND NOT too_late),
           market, f.drained_to, j.known_drained_to
    FROM unnest(%(markets)s::text[]) AS asked(market)
    LEFT JOIN pricing_feed f USING (market) LEFT JOIN pricing_feedevaluation j USING (market)
"""
_NEWEST = f"""
    SELECT (extract(epoch FROM {clock.COLUMN}) * 1000000)::bigint AS now, asked.market,
           (extract(epoch FROM f.drained_to) * 1000000)::bigint, newest.*
    FROM {_MARKETS} AS asked(market) LEFT JOIN pricing_feed f ON f.market = asked.market
    LEFT JOIN LATERAL (
        SELECT {_QUOTE}, sell, {_CERTAIN}
        FROM pricing_pricequote q WHERE market = asked.market
        ORDER BY sent_at DESC, market_time DESC, coalesce(event_id, message_id) COLLATE "C" DESC, id DESC LIMIT 1
    ) newest ON true
"""  # noqa: S608
_NEWEST_COLUMNS = 3 + _QUOTE_COLUMNS + 2  # as in the first lines of that query
_LATEST = f"""
    SELECT latest.* FROM unnest(%s::text[]) AS asked(market)
    CROSS JOIN LATERAL (SELECT max(sent_at) AS at FROM pricing_pricequote WHERE market = asked.market) AS newest
    CROSS JOIN LATERAL (
        SELECT {_QUOTE} FROM pricing_pricequote
        WHERE market = asked.market AND sent_at >= newest.at - make_interval(secs => %s)
    ) AS latest
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Progress:
    """How far sweeps have come: what they have not judged, and what they knew of silences.

    `earliest` is when the earliest unevaluated quote was sent; `evaluated_to` when the latest of the recent others was
    evaluated, those that came too late left out. `drained_to` is how far each feed is drained, `known_drained_to` how
    far that was known at the last evaluation. None: there is none, or it is not known.
    """

    earliest: datetime | None
    evaluated_to: datetime | None
    drained_to: dict[Market, datetime | None]
    known_drained_to: dict[Market, datetime | None]


@dataclass(frozen=True, slots=True)
class History:
    """Quotes sent within a time, with their sell levels, oldest first, and which of them no sweep has judged.

    `evaluated_to` is when the latest of the others was swept, those aside that came too late; None if there is none.
    """

    quotes: list[Quote]
    unevaluated: list[Quote]
    evaluated_to: datetime | None


@dataclass(frozen=True, slots=True)
class Newest:
    """A market's newest quote, with its levels, and how far its feed was drained at the same instant; None = not known.

    `stands` is true if the quote certainly is the one standing; if not, its predecessors decide.
    """

    market: Market
    drained_to: datetime | None
    quote: Quote | None
    stands: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """A query that gives exactly one row, to be read in the same look as the board: one round trip for both.

    Its parameters are named, and `max_age` is not among them.
    """

    query: str
    parameters: Mapping[str, Any]


def freshness() -> Freshness:
    """How long quotes hold, from the settings."""
    return Freshness(
        max_age=timedelta(seconds=settings.PRICE_MAX_AGE_SECONDS),
        max_lag=timedelta(seconds=settings.FEED_MAX_LAG_SECONDS),
    )


def reference_quantity() -> Decimal:
    """The number of units whose sell price is the price, from the settings."""
    return Decimal(settings.PRICE_REFERENCE_QUANTITY)


def progress(*, since: datetime) -> Progress:
    """How far sweeps have come, by the quotes sent `since`, all at one instant."""
    rows = _rows(_PROGRESS, {"markets": list(Market), "since": since})
    earliest, evaluated_to, *_feed = rows[0]
    drained_to = {Market(market): drained for _earliest, _swept, market, drained, _judged in rows}
    known_drained_to = {Market(market): judged for _earliest, _swept, market, _drained, judged in rows}
    return Progress(earliest, evaluated_to, drained_to, known_drained_to)


def written_levels(levels: Iterable[Level]) -> list[list[str]]:
    """Levels as a quote's row keeps them: [quantity, unit price] as decimal strings."""
    return [[money.decimal_string(level.quantity), money.decimal_string(level.unit_price)] for level in levels]


def read_levels(written: Iterable[Iterable[str]]) -> tuple[Level, ...]:
    """The reverse of `written_levels`."""
    return tuple(Level(Decimal(quantity), Decimal(price)) for quantity, price in written)


def history(since: datetime, until: datetime, *, no_earlier: datetime) -> History:
    """All quotes sent in [since, until], and before them as many as decide which of these take part.

    That is, each market's last one that certainly takes part, and what it sent after it; should there be none sent
    after `no_earlier`, all sent from then on.
    """
    max_age = freshness().max_age.total_seconds()
    asked = {"markets": list(Market), "since": since, "until": until, "no_earlier": no_earlier, "max_age": max_age}
    rows = _rows(_HISTORY, asked)
    quotes = [replace(_quote(row), sell=read_levels(json.loads(row[6]))) for row in rows]
    unevaluated = [quote for quote, row in zip(quotes, rows, strict=True) if not row[7]]
    return History(quotes, unevaluated, _instant(rows[0][8]) if rows and rows[0][8] is not None else None)


def newest(max_age: timedelta, beside: Beside | None = None) -> tuple[list[Newest], datetime, tuple[Any, ...]]:
    """Each market's newest quote, however old, in one look; the instant of that look; and the row of `beside`."""
    query, parameters = _NEWEST, {"max_age": max_age.total_seconds()}
    if beside is not None:
        query, parameters = _beside(beside.query), {**parameters, **beside.parameters}
    rows = _rows(query, parameters)
    found = []
    for _now, market, drained_to, *columns, sell, stands in (row[:_NEWEST_COLUMNS] for row in rows):
        quote = None if columns[0] is None else _quote_with_levels(tuple(columns), sell)
        drained = None if drained_to is None else _instant(drained_to)
        found.append(Newest(Market(market), drained, quote, stands=bool(stands)))
    return found, clock.read(_instant(rows[-1][0])), rows[-1][_NEWEST_COLUMNS:]


def latest_times(markets: Iterable[Market], within: timedelta) -> list[Quote]:
    """These markets' newest quotes and those sent up to `within` before them, however old, without their levels.

    Enough to tell which one stands; reading some hundreds of curves for that would be waste.
    """
    return [_quote(row) for row in _rows(_LATEST, [[market.value for market in markets], within.total_seconds()])]


def levels_of(quote_ids: Iterable[int]) -> dict[int, tuple[Level, ...]]:
    """The sell levels of some quotes."""
    rows = PriceQuote.objects.filter(pk__in=list(quote_ids)).values_list("id", "sell")
    return {quote_id: read_levels(sell) for quote_id, sell in rows}


def _rows(query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@lru_cache(maxsize=64)
def _beside(query: str) -> str:
    return f"SELECT board.*, beside.* FROM ({_NEWEST}) AS board CROSS JOIN ({query}) AS beside"  # noqa: S608


@lru_cache(maxsize=16)  # the same two rows are read again until a price changes
def _quote_with_levels(row: tuple[Any, ...], sell: str) -> Quote:
    return replace(_quote(row), sell=read_levels(json.loads(sell)))


def _quote(row: tuple[Any, ...]) -> Quote:
    """A quote of a row of `_QUOTE`, without its levels."""
    return Quote(row[0], Market(row[1]), row[2], _instant(row[3]), (), row[4], row[5])


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
