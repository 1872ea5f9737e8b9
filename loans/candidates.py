"""Which loans a price may hit: range scans over `debt_per_unit`, worst or safest first, page by page.

They find all whom the exact rules of `risk` hit, and a few more at the very edge. Nothing is locked. So loans that the
exact rule turns down lie at the end and are passed over, never found for ever. A quiet tick asks all in one statement.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from loans import risk
from loans.risk import Thresholds
from pricing.quotes import PricePoint

#: Where a walk stands: the debt per unit and the id of the loan it has come to. The next page begins after it.
Place = tuple[Decimal, int]

# Beyond every debt per unit that the column can hold, and every id.
_BELOW_ALL: Final[Place] = (Decimal(-1), 0)
_ABOVE_ALL: Final[Place] = (Decimal(10) ** 46 - 1, 0)

# The status is a literal: with a parameter, a generic plan misses the partial index.
_BREACHED = (
    "FROM loans_loan l WHERE l.status = 'active' AND l.debt_per_unit >= %s AND (l.debt_per_unit, l.id) < (%s, %s)"
    " AND l.prices_apply_from < %s ORDER BY l.debt_per_unit DESC, l.id DESC LIMIT %s"
)
_UNWARNED = (
    "FROM loans_loan l WHERE l.status = 'active' AND l.debt_per_unit >= %s AND (l.debt_per_unit, l.id) < (%s, %s)"
    " AND l.prices_apply_from < %s AND NOT EXISTS (SELECT FROM loans_margincall w WHERE w.loan_id = l.id"
    " AND (w.closed_at IS NULL OR w.cleared_to >= %s)) ORDER BY l.debt_per_unit DESC, l.id DESC LIMIT %s"
)
_NEW = (
    "FROM loans_loan l WHERE l.status = 'new' AND l.debt_per_unit <= %s AND (l.debt_per_unit, l.id) > (%s, %s)"
    " ORDER BY l.debt_per_unit, l.id LIMIT %s"
)
_WARNED = (
    "FROM loans_margincall w JOIN loans_loan l ON l.id = w.loan_id WHERE w.closed_at IS NULL AND l.status = 'active'"
    " AND l.debt_per_unit <= %s AND (l.debt_per_unit, l.id) > (%s, %s) ORDER BY l.debt_per_unit, l.id LIMIT %s"
)


@dataclass(frozen=True, slots=True)
class Search:
    """A scan in one direction, from the loans that are surely hit towards the edge at `bound` (debt per unit)."""

    rows: str
    bound: Decimal
    start: Place
    applies_before: tuple[datetime, ...] = ()

    def page(self, place: Place, limit: int) -> tuple[list[int], Place | None]:
        """The ids of up to `limit` loans after `place`; and where to go on, None if there are no more."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT l.id, l.debt_per_unit {self.rows}", self.parameters(place, limit))
            rows: list[tuple[int, Decimal]] = cursor.fetchall()
        last = [(debt_per_unit, pk) for pk, debt_per_unit in rows[-1:]]
        return [pk for pk, _debt in rows], last[0] if len(rows) == limit else None

    def pages(self, limit: int) -> Iterator[list[int]]:
        """The ids of all, page by page."""
        place: Place | None = self.start
        while place is not None:
            found, place = self.page(place, limit)
            if found:
                yield found

    def parameters(self, place: Place, limit: int) -> list[Decimal | int | datetime]:
        """What the placeholders stand for."""
        return [self.bound, *place, *self.applies_before, limit]


def breached(point: PricePoint, thresholds: Thresholds) -> Search:
    """Active loans whose LTV may reach the liquidation threshold at `point`, those it does not judge left out.

    This and the others need a point whose price is known.
    """
    floor = risk.search_floor(thresholds.liquidation_ltv, point.known_price)
    return Search(_BREACHED, floor, _ABOVE_ALL, (point.applies_before,))


def without_margin_call(point: PricePoint, thresholds: Thresholds) -> Search:
    """Active loans that may be due a margin call at `point`.

    Those it does not judge are left out, and those that have one open, or had one that a later price cleared.
    """
    floor = risk.search_floor(thresholds.margin_call_ltv, point.known_price)
    return Search(_UNWARNED, floor, _ABOVE_ALL, (point.applies_before, point.applies_before))


def new(point: PricePoint, thresholds: Thresholds) -> Search:
    """New loans whose collateral may be complete at `point`."""
    return Search(_NEW, risk.search_ceiling(thresholds.activation_ltv, point.known_price), _BELOW_ALL)


def with_margin_call(point: PricePoint, thresholds: Thresholds) -> Search:
    """Active loans with an open margin call that `point` may clear."""
    return Search(_WARNED, risk.search_ceiling(thresholds.margin_call_clear_ltv, point.known_price), _BELOW_ALL)


def first_found(searches: Sequence[Search]) -> int | None:
    """Which of these searches is the first to find anybody, in one statement; None if none does.

    Those after it are not made: after a crash each may pass over thousands of loans.
    """
    if not searches:
        return None
    # CASE stops at the first. Not EXISTS, which forgets the order, and with it the index.
    looks = " ".join(f"WHEN (SELECT l.id {one.rows}) IS NOT NULL THEN {n}" for n, one in enumerate(searches))
    parameters = [value for search in searches for value in search.parameters(search.start, 1)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT CASE {looks} END", parameters)
        (first,) = cursor.fetchone()
    return first  # type: ignore[no-any-return]
