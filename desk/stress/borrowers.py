"""Who is hit worst by a price. Pure; GC."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from coruscant import money
from coruscant.money import ZERO
from loans import risk
from loans.risk import Thresholds


class _Terms(Protocol):
    @property
    def thresholds(self) -> Thresholds:
        """The LTVs."""


class Lent(Protocol):
    """What is needed of a loan."""

    borrower_id: str
    outstanding_balance: Decimal
    collateral: Decimal

    @property
    def terms(self) -> _Terms:
        """Its terms."""


@dataclass(frozen=True, slots=True)
class Borrower:
    """The loans of a borrower that are sold, what they owe, and what their collateral does not cover."""

    borrower_id: str
    loans: int
    owed: Decimal
    shortfall: Decimal


def worst(loans: Iterable[Lent], *, price: Decimal, reached: Decimal, most: int) -> list[Borrower]:
    """The borrowers whose loans are sold at a price, by shortfall at the price reached, then by what they owe."""
    found: dict[str, Borrower] = {}
    for loan in loans:
        owed, units = loan.outstanding_balance, loan.collateral
        if not risk.must_liquidate(owed, units, price, loan.terms.thresholds):
            continue
        before = found.get(loan.borrower_id, Borrower(loan.borrower_id, 0, ZERO, ZERO))
        with money.exact():
            shortfall = before.shortfall + max(ZERO, owed - units * reached)
            found[loan.borrower_id] = Borrower(loan.borrower_id, before.loans + 1, before.owed + owed, shortfall)
    ordered = sorted(found.values(), key=lambda one: (-one.shortfall, -one.owed, one.borrower_id))
    return ordered[:most]
