"""Which loans a price may change: range scans over `debt_per_unit`, one for each version of the terms in use.

A scan finds every loan that the exact rule of `risk` accepts, and perhaps a few that it rejects, whose LTV rounds to
the threshold. It starts furthest beyond the threshold, so those come last; the scans of all versions are merged in this
order, page by page. Nothing is locked. `first_found` runs several searches in one statement.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from loans import risk
from loans.risk import Thresholds
from loans.terms import ByVersion
from pricing.quotes import PricePoint

#: The debt per unit and the id of the last loan of a page. The next page begins after it.
Position = tuple[Decimal, int]

# Beyond every debt per unit that the column can hold.
_BELOW_ALL: Final[Position] = (Decimal(-1), 0)
_ABOVE_ALL: Final[Position] = (Decimal(10) ** 46 - 1, 0)

# The status is a literal: with a parameter, a generic plan misses the partial index. `limits` has a row for each
# version of the terms.
_BREACHED = (
    "CROSS JOIN LATERAL (SELECT l.debt_per_unit, l.id FROM loans_loan l WHERE l.status = 'active'"
    " AND l.terms_id = limits.terms_id AND l.debt_per_unit >= limits.bound AND (l.debt_per_unit, l.id) < (%s, %s)"
    " AND l.prices_apply_from < %s ORDER BY l.debt_per_unit DESC, l.id DESC LIMIT %s) l"
    " ORDER BY l.debt_per_unit DESC, l.id DESC LIMIT %s"
)
_WITHOUT_MARGIN_CALL = (
    "CROSS JOIN LATERAL (SELECT l.debt_per_unit, l.id FROM loans_loan l WHERE l.status = 'active'"
    " AND l.terms_id = limits.terms_id AND l.debt_per_unit >= limits.bound AND (l.debt_per_unit, l.id) < (%s, %s)"
    " AND l.prices_apply_from < %s AND NOT EXISTS (SELECT FROM loans_margincall w WHERE w.loan_id = l.id"
    " AND (w.closed_at IS NULL OR w.cleared_to >= %s)) ORDER BY l.debt_per_unit DESC, l.id DESC LIMIT %s) l"
    " ORDER BY l.debt_per_unit DESC, l.id DESC LIMIT %s"
)
# As the search before, without the loans that have been given notice.
_WITHOUT_NOTICE = (
    "CROSS JOIN LATERAL (SELECT l.debt_per_unit, l.id FROM loans_loan l WHERE l.status = 'active'"
    " AND l.terms_id = limits.terms_id AND l.debt_per_unit >= limits.bound AND (l.debt_per_unit, l.id) < (%s, %s)"
    " AND l.prices_apply_from < %s AND NOT EXISTS (SELECT FROM loans_margincall w WHERE w.loan_id = l.id"
    " AND (w.closed_at IS NULL OR w.cleared_to >= %s)) AND NOT EXISTS (SELECT FROM loans_marginnotice n"
    " WHERE n.loan_id = l.id AND n.ended_at IS NULL) ORDER BY l.debt_per_unit DESC, l.id DESC LIMIT %s) l"
    " ORDER BY l.debt_per_unit DESC, l.id DESC LIMIT %s"
)
_NEW = (
    "CROSS JOIN LATERAL (SELECT l.debt_per_unit, l.id FROM loans_loan l WHERE l.status = 'new'"
    " AND l.terms_id = limits.terms_id AND l.debt_per_unit <= limits.bound AND (l.debt_per_unit, l.id) > (%s, %s)"
    " ORDER BY l.debt_per_unit, l.id LIMIT %s) l ORDER BY l.debt_per_unit, l.id LIMIT %s"
)
# Not LATERAL: the open margin calls, or notices, are read once, however many versions there are.
_WITH_MARGIN_CALL = (
    "JOIN loans_loan l ON l.terms_id = limits.terms_id AND l.debt_per_unit <= limits.bound"
    " JOIN loans_margincall w ON w.loan_id = l.id WHERE w.closed_at IS NULL AND l.status = 'active'"
    " AND (l.debt_per_unit, l.id) > (%s, %s) ORDER BY l.debt_per_unit, l.id LIMIT %s"
)
_WITH_NOTICE = (
    "JOIN loans_loan l ON l.terms_id = limits.terms_id AND l.debt_per_unit <= limits.bound"
    " JOIN loans_marginnotice n ON n.loan_id = l.id WHERE n.ended_at IS NULL AND l.status = 'active'"
    " AND (l.debt_per_unit, l.id) > (%s, %s) ORDER BY l.debt_per_unit, l.id LIMIT %s"
)


@dataclass(frozen=True, slots=True)
class Search:
    """Scans from `start` to the bound of each version of the terms, all as debt per unit."""

    rows: str
    bounds: tuple[tuple[int, Decimal], ...]
    start: Position
    applies_before: tuple[datetime, ...] = ()

    @property
    def found(self) -> str:
        """What is searched, from FROM on."""
        values = ", ".join(f"({version}, %s::numeric)" for version, _bound in self.bounds)
        return f"FROM (VALUES {values}) AS limits(terms_id, bound) {self.rows}"

    def page(self, position: Position, limit: int) -> tuple[list[int], Position | None]:
        """The ids of up to `limit` loans after `position`, and the position of the next page, if there is one."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT l.debt_per_unit, l.id {self.found}", self.parameters(position, limit))
            rows: list[Position] = cursor.fetchall()
        return [pk for _debt_per_unit, pk in rows], rows[-1] if len(rows) == limit else None

    def pages(self, limit: int) -> Iterator[list[int]]:
        """The ids of all loans, page by page."""
        position: Position | None = self.start
        while position is not None:
            found, position = self.page(position, limit)
            if found:
                yield found

    def parameters(self, position: Position, limit: int) -> list[Decimal | int | datetime]:
        """The values of the placeholders of `found`."""
        bounds = [bound for _version, bound in self.bounds]
        return [*bounds, *position, *self.applies_before, *[limit] * self.rows.count("LIMIT %s")]


def breached(point: PricePoint, in_use: ByVersion) -> Search:
    """Active loans to which `point` applies and whose LTV may reach the liquidation LTV of their terms at it.

    As for the other searches, the price of `point` must be known, and no version of the terms in use be missing.
    """
    floors = _bounds(in_use, lambda ltvs: risk.search_floor(ltvs.liquidation_ltv, point.known_price))
    return Search(_BREACHED, floors, _ABOVE_ALL, (point.applies_before,))


def without_margin_call(point: PricePoint, in_use: ByVersion) -> Search:
    """Active loans to which `point` applies and that may be due a margin call at it.

    Left out are loans with an open margin call, and those whose last one was cleared by a later price.
    """
    floors = _bounds(in_use, lambda ltvs: risk.search_floor(ltvs.margin_call_ltv, point.known_price))
    return Search(_WITHOUT_MARGIN_CALL, floors, _ABOVE_ALL, (point.applies_before, point.applies_before))


def new(point: PricePoint, in_use: ByVersion) -> Search:
    """New loans whose collateral may be complete at `point`."""
    ceilings = _bounds(in_use, lambda ltvs: risk.search_ceiling(ltvs.activation_ltv, point.known_price))
    return Search(_NEW, ceilings, _BELOW_ALL)


def with_margin_call(point: PricePoint, in_use: ByVersion) -> Search:
    """Active loans with an open margin call that `point` may clear."""
    ceilings = _bounds(in_use, lambda ltvs: risk.search_ceiling(ltvs.margin_call_clear_ltv, point.known_price))
    return Search(_WITH_MARGIN_CALL, ceilings, _BELOW_ALL)


def without_notice(point: PricePoint, in_use: ByVersion, notice_ltv: Decimal) -> Search:
    """Active loans to which `point` applies and that may be due a notice at it.

    Left out are loans with an open notice, and those that `without_margin_call` leaves out.
    """
    floors = _bounds(in_use, lambda ltvs: risk.search_floor(risk.notice_ltv_under(notice_ltv, ltvs), point.known_price))
    return Search(_WITHOUT_NOTICE, floors, _ABOVE_ALL, (point.applies_before, point.applies_before))


def with_notice(point: PricePoint, in_use: ByVersion) -> Search:
    """Active loans with an open notice that may be over at `point`."""
    ceilings = _bounds(in_use, lambda ltvs: risk.search_ceiling(ltvs.margin_call_clear_ltv, point.known_price))
    return Search(_WITH_NOTICE, ceilings, _BELOW_ALL)


def first_found(searches: Sequence[Search]) -> int | None:
    """Which of these searches is the first to find a loan, in one statement; None if none does.

    Those after it are not run: after a crash each may skip thousands of loans.
    """
    if not searches:
        return None
    # CASE stops at the first. EXISTS would drop the order, and then the planner might not use the index.
    looks = " ".join(f"WHEN (SELECT l.id {one.found}) IS NOT NULL THEN {n}" for n, one in enumerate(searches))
    parameters = [value for search in searches for value in search.parameters(search.start, 1)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT CASE {looks} END", parameters)
        (first,) = cursor.fetchone()
    return first  # type: ignore[no-any-return]


def _bounds(in_use: ByVersion, bound: Callable[[Thresholds], Decimal]) -> tuple[tuple[int, Decimal], ...]:
    return tuple((version, bound(thresholds)) for version, thresholds in in_use.items())
