"""What the nemesis and the monitor read of the database, with the service's own models. Nothing is written."""

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import django

from local.demo.simulators import Trade
from proofs.chaos.recovery import Look

MOVES = """
SELECT sale.id, sale.status || coalesce(string_agg(traded.status || traded.sends, ',' ORDER BY traded.id), '')
FROM liquidation_liquidation AS sale LEFT JOIN liquidation_tradeorder AS traded ON traded.liquidation_id = sale.id
WHERE sale.status = 'selling' GROUP BY sale.id
"""
UNSENT = "SELECT liquidation_id FROM liquidation_liquidationevent WHERE sent_at IS NULL"
UNEVALUATED = "SELECT id FROM pricing_pricequote WHERE evaluated_at IS NULL"
LIMITS = """
SELECT traded.request_id, sale.id, sale.collateral_at_claim
FROM liquidation_tradeorder AS traded JOIN liquidation_liquidation AS sale ON sale.id = traded.liquidation_id
"""
FILLED = "SELECT request_id FROM liquidation_tradeorder WHERE status = 'filled'"
BOOKED = "SELECT request_id, market, units_traded, proceeds FROM liquidation_tradeorder WHERE status = 'filled'"
MARKED = "SELECT count(DISTINCT substring(body FROM %s)) FROM pricing_rejectedmessage WHERE received_at >= %s"
ASKING = """
SELECT count(*) FILTER (WHERE NOT asks), count(*) FILTER (WHERE asks) FROM (
    SELECT sale.status = 'waiting' AND EXISTS (
        SELECT FROM liquidation_tradeorder AS traded
        WHERE traded.liquidation_id = sale.id AND traded.status = 'unresolved') AS asks
    FROM liquidation_liquidation AS sale WHERE sale.status <> 'settled') AS unsettled
"""


def use(environment: Mapping[str, str]) -> None:
    """Set Django up in this process to read the service's database. Call once, before anything else here."""
    os.environ.update(environment)
    django.setup()


def look() -> Look | None:
    """The books at this moment; None while they cannot be read."""
    from django.db import Error, connection  # noqa: PLC0415  (not before `use`)

    from coruscant import clock  # noqa: PLC0415
    from pricing import best_price  # noqa: PLC0415

    try:
        now = clock.now()
        curves = best_price.snapshot().curves(now).values()
        return Look(
            now=now,
            selling=dict(rows(MOVES)),
            unsent=frozenset(pk for (pk,) in rows(UNSENT)),
            unevaluated=frozenset(pk for (pk,) in rows(UNEVALUATED)),
            current_quotes={curve.market.value: curve.sent_at for curve in curves if curve.fresh},
        )
    except Error:
        connection.close()
        return None


def disconnect() -> None:
    """Let the next question open a connection of its own: the database is about to go."""
    from django.db import connection  # noqa: PLC0415

    connection.close()


def rows(query: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    """Ask the service's database. Raises django.db.Error."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def disagreements(
    stated: Sequence[tuple[str, Trade]], booked: Mapping[str, Trade], pending: Collection[str]
) -> list[str]:
    """Where the statements of the markets and the books differ, as an auditor would compare them. Pure.

    `stated` are all lines, `booked` the fills, each under its requestId. A trade of an order that is `pending` in the
    books is not yet missing there.
    """
    times = Counter(request_id for request_id, _trade in stated)
    found = [f"{request_id} is booked, and no market states it" for request_id in booked if request_id not in times]
    for request_id, trade in stated:
        if request_id not in booked and request_id not in pending:
            found.append(f"{request_id} is stated, and not booked")
        elif booked.get(request_id, trade) != trade:
            found.append(f"{request_id}: stated {trade}, booked {booked[request_id]}")
    return found + [f"{request_id} is stated twice" for request_id, number in times.items() if number > 1]


def oversold(traded: Mapping[str, Decimal], limits: Mapping[str, tuple[int, Decimal]]) -> list[str]:
    """Liquidations for which the markets traded more than was claimed, and trades that nobody ordered. Pure.

    `traded` are units by requestId, as the markets have them; `limits` the liquidation and the units it claimed.
    """
    sums: dict[int, Decimal] = {}
    for request_id, units in traded.items():
        if request_id in limits:
            liquidation, _claimed = limits[request_id]
            sums[liquidation] = sums.get(liquidation, Decimal(0)) + units
    most = dict(limits.values())
    found = [
        f"liquidation {pk}: {units} units traded, {most[pk]} claimed" for pk, units in sums.items() if units > most[pk]
    ]
    return found + [f"{request_id} was never ordered" for request_id in traded if request_id not in limits]
