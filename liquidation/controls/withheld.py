"""While claims are paused, an evaluation lists the loans that it would have claimed."""

from typing import Any

import structlog
from django.db import connection

from coruscant import clock, money
from coruscant.controls.models import Control
from liquidation.controls.models import WithheldClaim
from loans import candidates, risk, terms
from loans.candidates import Position, Search
from loans.models import Loan
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

#: More candidates than there can be loans: those that are listed already are left out afterwards.
_ALL = 2**31
_UNLISTED = """
    SELECT found.debt_per_unit, found.id FROM (SELECT l.debt_per_unit, l.id {rows}) AS found
    WHERE NOT EXISTS (
        SELECT FROM liquidation_withheldclaim listed WHERE listed.control_id = %s AND listed.loan_id = found.id)
    LIMIT %s
"""


def list_batch(pause: Control, point: PricePoint, position: Position | None, limit: int) -> tuple[int, Position | None]:
    """List up to `limit` loans that `point` would have claimed but for `pause`, beginning after `position`.

    Each loan is listed once a pause, with the first price that breached it. Returns how many are new, and where the
    next page begins, if there is one. Nothing is locked; in the caller's transaction, who holds the evaluation's lock.
    Once all are listed it is one scan of the breached loans.
    """
    in_use = terms.in_use()
    search = candidates.breached(point, in_use)
    found = _unlisted(pause, search, position or search.start, limit)
    now, price = clock.now(), point.known_price
    loans = Loan.objects.filter(pk__in=[pk for _debt_per_unit, pk in found]).order_by("pk")
    made = WithheldClaim.objects.bulk_create(
        WithheldClaim(
            control=pause, loan_id=pk, price=money.round_down(price, money.DECIMAL_PLACES), price_at=point.at,
            outstanding_balance=balance, collateral=collateral, withheld_at=now,
        )
        for pk, balance, collateral, version in loans.values_list("pk", "outstanding_balance", "collateral", "terms_id")
        if risk.must_liquidate(balance, collateral, price, in_use[version])
    )  # fmt: skip
    if made:
        log.warning(
            "claims_withheld", control=pause.pk, loans=len(made), price=str(price), price_at=point.at.isoformat()
        )
    return len(made), found[-1] if len(found) == limit else None


def _unlisted(pause: Control, search: Search, position: Position, limit: int) -> list[Position]:
    parameters: list[Any] = [*search.parameters(position, _ALL), pause.pk, limit]
    with connection.cursor() as cursor:
        cursor.execute(_UNLISTED.format(rows=search.found), parameters)
        found: list[Position] = cursor.fetchall()
    return found
