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

    @property
    def best(self) -> Quote | None:
        """The better of the markets' last prices, if any is younger than a minute."""
        live = [quote for quote in self.quotes.values() if quote.age < 60]
        return max(live, key=lambda quote: quote.sell, default=None)


class Books:
    """Reads the database. Every method raises psycopg.Error while it cannot be reached, and reconnects later."""

    def __init__(self, url: str) -> None:
        """Read the database at `url`; nothing is opened yet."""
        self._url = url
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    def look(self) -> Figures:
        """Read all figures of the live view."""
        quotes = {row["market"]: Quote(row["sell"], row["age"]) for row in self._rows(QUOTES)}
        price = Figures(quotes=quotes).best
        buckets = [0] * len(LTV_BUCKETS)
        for row in self._rows(BUCKETS, price=price.sell) if price else []:
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
