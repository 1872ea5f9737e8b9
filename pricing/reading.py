"""Reading the quotes that prices depend on, and no others: the statements that run for every price.

Nothing here decides anything. They are written by hand; docs/decisions/0019 says what that gains.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection

from coruscant import clock
from pricing import guard as guarding
from pricing.aside import Aside
from pricing.guard import Alone, Course, Effective, Guards
from pricing.markets import Market
from pricing.quotes import Freshness, Quote, in_order
from pricing.written import read_aside, read_guards, read_levels

_QUOTE = "id, market, market_time, sent_at, coalesce(event_id, message_id) AS reference, too_late"
_QUOTE_COLUMNS = 6
_FOUND = "effective_from, alone, confirmed_by, evaluated_at"
_READ_COLUMNS = f"{_QUOTE}, sell, {_FOUND}"
# Every row of the guard: there are few, and they are read as one text.
_GUARDS = """
    (SELECT coalesce(json_agg(json_build_array(id, holds_from, mode, jump::text, agreement::text, dispute::text)
     ORDER BY holds_from, id), '[]')::text FROM pricing_priceguard)
"""
# No quote that decides anything was sent before this instant: it supports one that is read within its life.
_OLDEST = "(SELECT least(min(begins), {since}) - {reach} FROM reading)"
# When prices are set aside after an instant, as one text: most often never.
_ASIDE = """
    (SELECT coalesce(json_agg(json_build_array(market, began_at, until) ORDER BY id), '[]')::text
     FROM controls_control WHERE kind = 'set_aside' AND until > {since})
"""
# One row a market, all read at one instant.
_PROGRESS = f"""
    SELECT (SELECT min(sent_at) FROM pricing_pricequote WHERE evaluated_at IS NULL),
           (SELECT max(evaluated_at) FROM pricing_pricequote
            WHERE market = ANY(%(markets)s) AND sent_at > %(since)s AND NOT too_late),
           {_GUARDS}, market, f.drained_to, e.known_drained_to
    FROM unnest(%(markets)s::text[]) AS each_market(market)
    LEFT JOIN pricing_feed f USING (market) LEFT JOIN pricing_feedevaluation e USING (market)
"""  # noqa: S608
# The quotes on which the courses of all markets depend from {since} on, if all sent before that are evaluated:
# - of each market the one that was effective then, however old, as its evaluation found (`settled`);
# - its own later ones, but of those from before {no_earlier} only the last, which may be a jump (`own`);
# - of the other markets as many that each of these finds the latest of every one (`reading`).
_READING = """
    settled AS MATERIALIZED (
        SELECT each.name AS market, one.id, one.sent_at
        FROM {markets} LEFT JOIN LATERAL (
            SELECT id, sent_at FROM pricing_pricequote
            WHERE market = each.name AND effective_from IS NOT NULL AND effective_from < {since}
            ORDER BY effective_from DESC, sent_at DESC, market_time DESC,
                     coalesce(event_id, message_id) COLLATE "C" DESC, id DESC LIMIT 1
        ) AS one ON true
    ), own AS MATERIALIZED (
        SELECT market, id, CASE
            WHEN id IS NOT NULL AND (later.first IS NULL OR settled.sent_at > {no_earlier}) THEN later.first
            ELSE coalesce(greatest(later.first, (
                SELECT max(sent_at) FROM pricing_pricequote q
                WHERE q.market = settled.market AND q.sent_at <= {no_earlier}
            )), {no_earlier})
        END AS begins
        FROM settled, LATERAL (
            SELECT min(sent_at) AS first FROM pricing_pricequote q
            WHERE q.market = settled.market AND q.sent_at >= settled.sent_at AND q.id <> settled.id
        ) AS later
    ), reading AS MATERIALIZED (
        SELECT market, id AS settled_id, coalesce(least(begins, (
            SELECT max(sent_at) FROM pricing_pricequote q
            WHERE q.market = own.market AND q.sent_at <= (SELECT coalesce(min(begins), {since}) FROM own)
        )), {since}) AS begins
        FROM own
    )
"""
_READ = f"""
    SELECT {_QUOTE}, sell, {{found}}, false AS is_settled FROM pricing_pricequote
    WHERE market = reading.market AND sent_at >= reading.begins AND id IS DISTINCT FROM reading.settled_id {{until}}
    UNION ALL
    SELECT {_READ_COLUMNS}, true FROM pricing_pricequote WHERE id = reading.settled_id
"""  # noqa: S608
# PostgreSQL plans this statement for its bounds each time, and that is wanted: one plan for any bounds would read all
# quotes between them.
_HISTORY = f"""
    WITH {
    _READING.format(markets="unnest(%(markets)s::text[]) AS each(name)", since="%(since)s", no_earlier="%(no_earlier)s")
}
    SELECT {_ASIDE.format(since=_OLDEST.format(since="%(since)s", reach="(%(since)s - %(no_earlier)s)"))}, quote.*
    FROM reading CROSS JOIN LATERAL ({_READ.format(found=_FOUND, until="AND sent_at <= %(until)s")}) AS quote
"""  # noqa: S608
# The markets are literals here, so PostgreSQL plans this statement once. For an array given as a parameter it assumes
# ten elements, estimates that one plan for all parameters would be expensive, and plans anew each time.
_MARKETS = "(VALUES {})".format(", ".join(f"('{market.value}')" for market in Market))
_LAST_SENT = "greatest({})".format(
    ", ".join(f"(SELECT max(sent_at) FROM pricing_pricequote WHERE market = '{market.value}')" for market in Market)  # noqa: S608
)
_NO_EARLIER = "(SELECT since - make_interval(secs => %(reach)s) FROM bounds)"
# From the first unevaluated quote on; while no evaluation runs, from not too long ago. One row of texts: most readings
# find the same quotes as the last one, and need not parse them again.
_NEWEST = f"""
    WITH bounds AS (
        SELECT greatest(
            least((SELECT min(sent_at) FROM pricing_pricequote WHERE evaluated_at IS NULL), last),
            last - make_interval(secs => %(reach)s)
        ) AS since FROM (SELECT {_LAST_SENT} AS last) AS sent
    ), {
    _READING.format(
        markets=f"{_MARKETS} AS each(name)",
        since="(SELECT since FROM bounds)",
        no_earlier=_NO_EARLIER,
    )
}
    SELECT {clock.COLUMN} AS now,
           (SELECT coalesce(json_object_agg(market, drained_to), '{{}}')::text FROM pricing_feed) AS drained_to,
           json_build_array({_GUARDS}, {
    _ASIDE.format(since=_OLDEST.format(since="(SELECT since FROM bounds)", reach="make_interval(secs => %(reach)s)"))
}, (SELECT coalesce(json_agg(json_build_array(
        id, quote.market, market_time::text, sent_at, reference, too_late, sell, is_settled, effective_from, alone,
        confirmed_by)), '[]')
    FROM reading CROSS JOIN LATERAL ({
    _READ.format(found="NULL::timestamptz AS effective_from, '' AS alone, '' AS confirmed_by, NULL", until="")
}) AS quote))::text AS quotes
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Progress:
    """How far evaluations have come, and the guard's settings.

    `earliest` is when the earliest unevaluated quote was sent. `evaluated_to` is when the last of the recent quotes was
    evaluated, not counting those that were too late. `drained_to` is how far each feed is drained, `known_drained_to`
    how far that was known at the last evaluation. None: there is none, or it is not known.
    """

    earliest: datetime | None
    evaluated_to: datetime | None
    guards: Guards
    drained_to: dict[Market, datetime | None]
    known_drained_to: dict[Market, datetime | None]


#: What an evaluation found about a quote: since when it was effective, whether alone, and what confirmed it.
Finding = tuple[datetime | None, str, str]


@dataclass(frozen=True, slots=True)
class History:
    """Quotes, and what earlier evaluations found. Only the unevaluated ones are in order.

    `settled` has each market's effective quote where its course begins. `findings` are those stored with the quotes.
    `evaluated_to` is when the last of them was evaluated, not counting those that were too late (None: there is none).
    `aside` has when markets are set aside.
    """

    quotes: tuple[Quote, ...]
    settled: dict[Market, Effective]
    findings: dict[int, Finding]
    unevaluated: tuple[Quote, ...]
    evaluated_to: datetime | None
    aside: Aside

    def courses(self, guards: Guards, freshness: Freshness) -> dict[Market, Course]:
        """What the guard makes of them."""
        return guarding.judged(self.quotes, guards, freshness, self.settled, self.aside)


def progress(*, since: datetime) -> Progress:
    """How far evaluations have come, by the quotes sent after `since`."""
    rows = _rows(_PROGRESS, {"markets": list(Market), "since": since})
    earliest, evaluated_to, guards, *_feed = rows[0]
    drained_to = {Market(market): drained for *_, market, drained, _known in rows}
    known_drained_to = {Market(market): known for *_, market, _drained, known in rows}
    return Progress(earliest, evaluated_to, read_guards(guards), drained_to, known_drained_to)


def history(since: datetime, until: datetime, *, no_earlier: datetime) -> History:
    """All quotes sent in [since, until] with their sell levels, and the earlier ones that decide which are effective.

    All quotes sent before `since` must be evaluated. Of each market the quote that was effective then is read, however
    old, and its later ones. Those sent before `no_earlier` are left out but for the last: in between none was believed.
    """
    bounds = {"since": since, "until": until, "no_earlier": no_earlier}
    rows = _rows(_HISTORY, {"markets": list(Market), **bounds})
    return _history((row[1:] for row in rows), rows[0][0] if rows else "[]")


def between(since: datetime, until: datetime) -> tuple[tuple[Quote, ...], Aside]:
    """All quotes sent in [since, until), in no order, and when markets are set aside since then."""
    query = f"""
        SELECT {_ASIDE.format(since="%(since)s")}, {_READ_COLUMNS}, false
        FROM pricing_pricequote WHERE sent_at >= %(since)s AND sent_at < %(until)s
    """  # noqa: S608
    rows = _rows(query, {"since": since, "until": until})
    found = _history((row[1:] for row in rows), rows[0][0] if rows else "[]")
    return found.quotes, found.aside


def guards() -> Guards:
    """The guard's rows."""
    return read_guards(_rows(f"SELECT {_GUARDS}", {})[0][0])


@dataclass(frozen=True, slots=True)
class Newest:
    """What the price now depends on, all read at the instant `now`; `row` is the row of another query.

    `drained_to` and `quotes` are JSON, for `pricing.written`; the texts are equal while nothing changes.
    """

    now: datetime
    drained_to: str
    quotes: str
    row: tuple[Any, ...]


def newest(reach: timedelta, row_query: str | None = None, row_parameters: Mapping[str, Any] | None = None) -> Newest:
    """What the price now depends on, however old, and the row of `row_query`, in one statement.

    `reach` is the maximum age and lag together. `row_query` must give exactly one row; without it the row is empty. Its
    parameters are named, and none of them is `reach`.
    """
    query = _NEWEST if row_query is None else _beside(row_query)
    ((now, drained_to, quotes, *row),) = _rows(query, {"reach": reach.total_seconds(), **(row_parameters or {})})
    return Newest(clock.read(now), drained_to, quotes, tuple(row))


@lru_cache(maxsize=8)
def _beside(row_query: str) -> str:
    """_NEWEST with the columns of another query; in few characters.

    psycopg converts a text again for each call if it has 4,096 characters or more.
    """
    newest, other = " ".join(_NEWEST.split()), " ".join(row_query.split())
    return f"SELECT * FROM ({newest}) AS newest, ({other}) AS other"  # noqa: S608


def _history(rows: Iterable[tuple[Any, ...]], aside: str) -> History:
    quotes, settled, findings, unevaluated = [], {}, {}, []
    evaluated_to: datetime | None = None
    for *columns, sell, effective_from, alone, confirmed_by, evaluated_at, is_settled in rows:
        quote = _quote_with_levels(tuple(columns), sell)
        quotes.append(quote)
        findings[quote.id] = (effective_from, alone, confirmed_by)
        if is_settled:
            settled[quote.market] = Effective(quote, effective_from, Alone(alone), confirmed_by)
        if evaluated_at is None:
            unevaluated.append(quote)
        elif not quote.too_late:
            evaluated_to = max(evaluated_at, evaluated_to or evaluated_at)
    return History(tuple(quotes), settled, findings, tuple(in_order(unevaluated)), evaluated_to, read_aside(aside))


def _rows(query: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@lru_cache(maxsize=64)  # the same rows are read again until a price changes
def _quote_with_levels(row: tuple[Any, ...], sell: str) -> Quote:
    return replace(
        Quote(row[0], Market(row[1]), row[2], row[3], (), row[4], row[5]), sell=read_levels(json.loads(sell))
    )
