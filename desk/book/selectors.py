"""Reading the book: its newest snapshot, their history, and the loans on either side of a line. Nothing is locked."""

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

from django.db import connection
from django.db.models import F, QuerySet

from coruscant import money
from coruscant.money import ZERO
from desk.book.buckets import ENDS, INFINITE, STARTS, Sums, bucket_of
from desk.book.distribution import Bounds, Distribution
from desk.models import BookSnapshot
from loans import risk, terms
from loans.models import Loan, LoanStatus
from loans.terms import ByVersion

#: The steps of LTV in which the book is shown; the last has no end.
_STEP: Final = Decimal("0.05")
_STEPS: Final = 20
_ULP: Final = Decimal(1).scaleb(-money.DECIMAL_PLACES)
#: A bound for each version of the terms.
_Line = tuple[tuple[int, Decimal], ...]

# The loans of a bucket, or of two, that reach each of some lines: short ranges of the index, and no row.
_REACHING = """
    CROSS JOIN LATERAL (
        SELECT count(*) AS loans, sum(outstanding_balance) AS balance, sum(collateral) AS collateral
        FROM loans_loan l WHERE l.status = 'active' AND l.terms_id = line.terms_id
        AND l.debt_per_unit >= line.first AND l.debt_per_unit < line.below
        AND l.outstanding_balance >= line.bound * l.collateral
    ) AS sums
"""


def newest() -> BookSnapshot | None:
    """The newest snapshot; None before the first one."""
    return BookSnapshot.objects.first()


def history(since: datetime) -> QuerySet[BookSnapshot]:
    """The snapshots since an instant, the newest first, without their buckets."""
    return BookSnapshot.objects.filter(taken_at__gte=since).defer("buckets")


class Book:
    """The book as of a snapshot, exact at any line: rows are read where a line divides a bucket.

    Exact as long as the book is as it was then. What changes between the snapshot and the reading may count twice, or
    not at all; but of a bucket never more is read than the snapshot has in it. So a lower line has at least what a
    higher one has, if both are read in `one_instant`.
    """

    def __init__(self, snapshot: BookSnapshot) -> None:
        """Read the buckets."""
        self.snapshot = snapshot
        self.distribution = Distribution(snapshot.buckets)
        self._found: dict[_Line, Sums] = {}

    @cached_property
    def terms(self) -> ByVersion:
        """The LTVs of each version of the terms that any loan is under."""
        return terms.of_versions(self.distribution.versions)

    def at_or_above(self, bounds: Bounds) -> Sums:
        """The loans whose balance over collateral, unrounded, is at or above the bound of their terms."""
        (found,) = self.at_or_above_each([bounds])
        return found

    def at_or_above_each(self, several: Sequence[Bounds]) -> list[Sums]:
        """The same of several lines, by one statement. None that was asked for before is read again."""
        lines = [tuple(sorted(bounds.items())) for bounds in several]
        parts, ranges = [], []
        for line in dict.fromkeys(lines):
            if line in self._found:
                continue
            self._found[line] = Sums()
            for version, bound in line:
                # A debt per unit is rounded to the column's scale. None at or above the bound is below its floor; but
                # only from two units above that on is it certain which side its loan is on. So where an edge is as near
                # as that, two buckets are read.
                floor = money.round_down(bound, money.DECIMAL_PLACES)
                with money.exact():  # the default context has 28 digits
                    first, last = bucket_of(floor), bucket_of(floor + _ULP)
                higher = self.distribution.beyond(version, last + 1)
                self._found[line] += higher
                parts.append((line, self.distribution.beyond(version, first) - higher))
                ranges.append((version, floor, ENDS[last], bound))
        for (line, most), sums in zip(parts, _reaching(ranges), strict=True):
            self._found[line] += sums.at_most(most)
        return [self._found[line] for line in lines]


def histogram(book: Distribution, price: Decimal) -> list[tuple[Decimal, Decimal | None, int, Decimal]]:
    """For each step of 5 % of LTV at a price: where it begins and ends, how many loans lie there, and what they owe.

    The last one begins at 100 % and has no end (None). A bucket of the snapshot counts where its lower end lies.
    """
    found = [Sums()] * (_STEPS + 1)
    for number, sums in book.parts():
        with money.exact():
            step = _STEPS if number == INFINITE else min(_STEPS, int(STARTS[number] / price / _STEP))
        found[step] += sums
    return [
        (step * _STEP, (step + 1) * _STEP if step < _STEPS else None, sums.loans, sums.balance)
        for step, sums in enumerate(found)
    ]


def nearest(price: Decimal, n: int) -> list[Loan]:
    """The `n` loans below the liquidation LTV of their terms at a price that a fall would reach first, nearest first.

    Each with its terms. By the index: it takes a short range for each version of the terms in use.
    """
    in_use = terms.in_use()

    def below(version: int) -> QuerySet[Loan]:
        line = risk.search_floor(in_use[version].liquidation_ltv, price)
        return _active(version).filter(debt_per_unit__lt=line).order_by("-debt_per_unit", "-id")[:n]

    def price_at_the_line(loan: Loan) -> Decimal:
        with money.exact():
            return (loan.debt_per_unit or ZERO) / in_use[loan.terms_id].liquidation_ltv

    return heapq.nlargest(n, (loan for version in in_use for loan in below(version)), key=price_at_the_line)


def riskiest(n: int) -> list[Loan]:
    """The `n` active loans with the most debt per unit, the worst first; those without collateral before all others."""
    worst_first = F("debt_per_unit").desc(nulls_first=True), "-id"
    found: Iterator[Loan] = (loan for version in terms.in_use() for loan in _active(version).order_by(*worst_first)[:n])

    def debt_per_unit(loan: Loan) -> Decimal:
        return Decimal("Infinity") if loan.debt_per_unit is None else loan.debt_per_unit

    return heapq.nlargest(n, found, key=debt_per_unit)


def _active(version: int) -> QuerySet[Loan]:
    return Loan.objects.filter(status=LoanStatus.ACTIVE, terms=version).select_related("terms")


def _reaching(ranges: Sequence[tuple[int, Decimal, Decimal, Decimal]]) -> Iterator[Sums]:
    """Of each range (version of the terms, from, below, bound) the loans in it that reach its bound, in order."""
    if not ranges:
        return
    values = ", ".join(["(%s::int, %s::int, %s::numeric, %s::numeric, %s::numeric)"] * len(ranges))
    query = f"""
        SELECT sums.* FROM (VALUES {values}) AS line(number, terms_id, first, below, bound) {_REACHING}
        ORDER BY line.number
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, [value for numbered in enumerate(ranges) for value in (numbered[0], *numbered[1])])
        for loans, owed, units in cursor.fetchall():
            yield Sums(loans, owed or ZERO, units or ZERO)
