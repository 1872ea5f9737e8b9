"""What the service has booked: its database, read with plain SQL in read-only transactions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

LTV_BUCKETS = ("below 50 %", "50-60 %", "60-70 %", "70-80 %", "80 % and more")

QUOTES = """
SELECT DISTINCT ON (market) market, (sell -> 0 ->> 1)::numeric AS sell,
       extract(epoch FROM now() - sent_at)::float AS age
FROM pricing_pricequote ORDER BY market, sent_at DESC, id DESC
"""
LOANS = "SELECT status, count(*) AS number FROM loans_loan GROUP BY status"
BUCKETS = """
SELECT CASE WHEN debt_per_unit < 0.5 * %(price)s THEN 0
            WHEN debt_per_unit < 0.6 * %(price)s THEN 1
            WHEN debt_per_unit < 0.7 * %(price)s THEN 2
            WHEN debt_per_unit < 0.8 * %(price)s THEN 3 ELSE 4 END AS bucket, count(*) AS number
FROM loans_loan WHERE status = 'active' GROUP BY bucket
"""
LIQUIDATIONS = """
SELECT loan.loan_id, sale.status, sale.collateral_sold AS sold, sale.proceeds,
       sale.collateral_at_claim - sale.collateral_sold AS left_over,
       loan.outstanding_balance AS owed, extract(epoch FROM now() - sale.claimed_at)::float AS age
FROM liquidation_liquidation AS sale JOIN loans_loan AS loan ON loan.id = sale.loan_id
ORDER BY coalesce(sale.settled_at, sale.claimed_at) DESC, sale.id DESC LIMIT 8
"""
ORDERS = """
SELECT market, CASE WHEN status IN ('filled', 'refused', 'unresolved') THEN status ELSE 'unknown' END AS verdict,
       count(*) AS number FROM liquidation_tradeorder GROUP BY market, verdict
"""
SUMS = """
SELECT count(*) AS claimed, count(*) FILTER (WHERE status = 'settled') AS settled,
       count(*) FILTER (WHERE status = 'waiting') AS waiting,
       (SELECT count(sent_at) FROM liquidation_liquidationevent) AS events_sent,
       (SELECT count(*) FROM liquidation_liquidationevent) AS events,
       (SELECT count(*) FROM loans_margincall WHERE closed_at IS NULL) AS open_margin_calls
FROM liquidation_liquidation
"""
SINCE = """
SELECT (SELECT count(*) FROM loans_loan WHERE created_at >= %(since)s) AS applied,
       (SELECT count(*) FROM loans_loan WHERE activated_at >= %(since)s) AS activated,
       (SELECT count(*) FROM liquidation_liquidation WHERE settled_at >= %(since)s) AS liquidated,
       (SELECT count(*) FROM liquidation_liquidation WHERE status = 'selling') AS unsettled,
       (SELECT count(*) FROM liquidation_liquidationevent WHERE sent_at IS NULL) AS unsent,
       (SELECT count(*) FROM loans_loanevent WHERE sent_at IS NULL AND created_at < now() - interval '5 seconds')
           AS unsent_loan_events
"""
EVENTS_SINCE = """
SELECT event.event_id::text AS event_id, event.body FROM liquidation_liquidationevent AS event
WHERE event.sent_at >= %(since)s
"""
# Loans go on becoming active to the end: what was sent just now may be on its way to whoever hears it.
LOAN_EVENTS_SINCE = """
SELECT event_id::text AS event_id FROM loans_loanevent
WHERE sent_at >= %(since)s AND sent_at < now() - interval '5 seconds'
"""
FILLS_SINCE = """
SELECT request_id, market, units_traded, proceeds FROM liquidation_tradeorder
WHERE status = 'filled' AND answered_at >= %(since)s
"""
POSTED_SINCE = """
SELECT loan.loan_id, loan.amount, coalesce(sum(posting.amount), 0) AS posted
FROM loans_loan AS loan LEFT JOIN loans_collateralposting AS posting ON posting.loan_id = loan.id
WHERE loan.created_at >= %(since)s GROUP BY loan.id
"""
# A false price is far above any true one.
LIE_SINCE = """
WITH lie AS (
    SELECT count(*) AS quotes, min(sent_at) AS began, max(sent_at) AS ended FROM pricing_pricequote
    WHERE market = %(market)s AND sent_at >= %(since)s AND (sell -> 0 ->> 1)::numeric >= %(price)s
), claims AS (
    SELECT price, jsonb_path_query_array(
        evidence, '$[*] ? (@.market == $market && !exists(@.suspect)).price', jsonb_build_object('market', %(market)s)
    ) AS counted, jsonb_path_query_array(
        evidence, '$[*] ? (@.market == $market && @.suspect == true).price', jsonb_build_object('market', %(market)s)
    ) AS suspect FROM liquidation_liquidation WHERE claimed_at >= %(since)s
), cleared AS (
    SELECT created_at, (body::jsonb ->> 'price')::numeric AS price FROM loans_loanevent
    WHERE event_type = 'margin-call-cleared' AND created_at >= %(since)s
)
SELECT lie.*,
       (SELECT count(*) FROM pricing_heldjump
        WHERE market = %(market)s AND sent_at >= %(since)s AND price >= %(price)s) AS held,
       (SELECT count(*) FROM loans_loan WHERE activated_at BETWEEN began AND ended) AS activated,
       (SELECT count(*) FROM loans_loan
        WHERE activated_at >= %(since)s AND activation_price >= %(price)s) AS activated_by_it,
       (SELECT count(*) FROM cleared WHERE created_at BETWEEN began AND ended) AS cleared,
       (SELECT count(*) FROM cleared WHERE price >= %(price)s) AS cleared_by_it,
       (SELECT count(*) FROM claims, jsonb_array_elements_text(suspect) AS quoted
        WHERE quoted::numeric >= %(price)s) AS claimed,
       (SELECT count(*) FROM claims WHERE price >= %(price)s OR EXISTS (
            SELECT FROM jsonb_array_elements_text(counted) AS quoted WHERE quoted::numeric >= %(price)s
        )) AS claimed_by_it
FROM lie
"""
PAUSES_SINCE = """
SELECT control.id, control.began_at, control.until, control.pulled_by, control.ended_by,
       control.until <= clock_timestamp() AS over,
       (SELECT count(*) FROM liquidation_liquidation AS sale
        WHERE sale.claimed_at >= control.began_at AND sale.claimed_at < control.until) AS claimed_in_it,
       (SELECT count(*) FROM liquidation_liquidation AS sale WHERE sale.claimed_at >= control.until) AS claimed_after,
       ARRAY(SELECT loan.loan_id FROM liquidation_withheldclaim AS spared JOIN loans_loan AS loan
             ON loan.id = spared.loan_id WHERE spared.control_id = control.id ORDER BY spared.id) AS spared
FROM controls_control AS control WHERE control.kind = 'pause_claims' AND control.began_at >= %(since)s
ORDER BY control.id
"""
PAUSE_IN_FORCE = """
SELECT id FROM controls_control WHERE kind = 'pause_claims' AND began_at <= clock_timestamp()
AND until > clock_timestamp()
"""
ASKED = """
SELECT id FROM approvals_approval WHERE action = %(action)s AND outcome = 'asked' AND asked_by_name = %(by)s
ORDER BY id DESC LIMIT 1
"""
UNRESOLVED = "SELECT request_id FROM liquidation_tradeorder WHERE status IN ('open', 'unknown', 'unresolved')"


@dataclass(frozen=True, slots=True)
class Quote:
    """A market's last price: GC for one unit sold, and its age in seconds."""

    sell: Decimal
    age: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at the books. `orders` are counted by (market, verdict), `buckets` follow LTV_BUCKETS."""

    quotes: Mapping[str, Quote] = field(default_factory=dict)
    loans: Mapping[str, int] = field(default_factory=dict)
    buckets: tuple[int, ...] = (0,) * len(LTV_BUCKETS)
    latest: tuple[Mapping[str, Any], ...] = ()
    orders: Mapping[tuple[str, str], int] = field(default_factory=dict)
    sums: Mapping[str, int] = field(default_factory=dict)


class Books:
    """Reads the database. Every method raises psycopg.Error while it cannot be reached, and reconnects later."""

    def __init__(self, url: str) -> None:
        """Read the database at `url`; nothing is opened yet."""
        self._url = url
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    def look(self, price: Decimal | None = None) -> Figures:
        """Read all figures of the live view; loans are counted by LTV at `price`, GC a unit, if there is one."""
        quotes = {row["market"]: Quote(row["sell"], row["age"]) for row in self._rows(QUOTES)}
        buckets = [0] * len(LTV_BUCKETS)
        for row in self._rows(BUCKETS, price=price) if price else []:
            buckets[row["bucket"]] = row["number"]
        return Figures(
            quotes=quotes,
            loans={row["status"]: row["number"] for row in self._rows(LOANS)},
            buckets=tuple(buckets),
            latest=tuple(self._rows(LIQUIDATIONS)),
            orders={(row["market"], row["verdict"]): row["number"] for row in self._rows(ORDERS)},
            sums=self._rows(SUMS)[0],
        )

    def now(self) -> datetime:
        """The database's clock."""
        instant = self._rows("SELECT clock_timestamp() AS instant")[0]["instant"]
        assert isinstance(instant, datetime)
        return instant

    def since(self, instant: datetime) -> dict[str, int]:
        """Count what happened from `instant` on, and what is not finished, loan events of the last seconds left out."""
        return self._rows(SINCE, since=instant)[0]

    def events_since(self, instant: datetime) -> dict[str, str]:
        """Bodies by event id of the events marked as sent from `instant` on."""
        return {row["event_id"]: row["body"] for row in self._rows(EVENTS_SINCE, since=instant)}

    def loan_events_since(self, instant: datetime) -> set[str]:
        """The ids of the loan events marked as sent from `instant` on, but for the last seconds."""
        return {row["event_id"] for row in self._rows(LOAN_EVENTS_SINCE, since=instant)}

    def fills_since(self, instant: datetime) -> dict[str, tuple[str, Decimal, Decimal]]:
        """Market, units and proceeds by requestId of the fills booked from `instant` on."""
        rows = self._rows(FILLS_SINCE, since=instant)
        return {row["request_id"]: (row["market"], row["units_traded"], row["proceeds"]) for row in rows}

    def posted_since(self, instant: datetime) -> dict[str, tuple[Decimal, Decimal]]:
        """Amount (GC) and units posted, ever, of the loans applied for from `instant` on."""
        rows = self._rows(POSTED_SINCE, since=instant)
        return {row["loan_id"]: (row["amount"], row["posted"]) for row in rows}

    def lie_since(self, instant: datetime, market: str, price: Decimal) -> dict[str, Any]:
        """What came of a false price, or one above it, that a market published from `instant` on."""
        return self._rows(LIE_SINCE, since=instant, market=market, price=price)[0]

    def pauses_since(self, instant: datetime) -> list[dict[str, Any]]:
        """The pauses of claims pulled from `instant` on: their ends, and how many loans were claimed and spared."""
        return self._rows(PAUSES_SINCE, since=instant)

    def pause_in_force(self) -> int | None:
        """The id of the pause of claims that holds, if one does."""
        return next((row["id"] for row in self._rows(PAUSE_IN_FORCE)), None)

    def asked(self, action: str, by: str) -> int | None:
        """The id of the last approval of this action that this person asked for and nobody has decided on, if any."""
        return next((row["id"] for row in self._rows(ASKED, action=action, by=by)), None)

    def pending_orders(self) -> set[str]:
        """RequestIds of the orders without a verdict."""
        return {row["request_id"] for row in self._rows(UNRESOLVED)}

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        kept = self._connection is not None
        try:
            return self._ask(query, parameters)
        except psycopg.OperationalError:
            if not kept:
                raise
        return self._ask(query, parameters)  # a connection kept open may have been lost since it was last used

    def _ask(self, query: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                row_factory=dict_row,
                connect_timeout=3,
                options="-c default_transaction_read_only=on -c statement_timeout=5000",
                application_name="demo view",
            )
        try:
            return self._connection.execute(query.encode(), parameters or None).fetchall()
        except psycopg.OperationalError:
            self.close()
            raise
