"""The buckets in which loans are counted by debt per unit (GC a unit), and sums of loans. Pure.

Bucket 0 lies below the first edge; bucket n begins at edge n - 1, and ends before edge n. The one after the last edge
has no end. Debts without collateral have a bucket of their own beyond it: their LTV is infinite at every price.

Stored snapshots name buckets by number, so edges may be added at the end, and never otherwise changed.
"""

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, repeat
from typing import Final

from coruscant import money
from coruscant.money import ZERO


def _next(edge: Decimal, ratio: Decimal) -> Decimal:
    with money.exact():
        return money.round_up(edge * ratio, money.DECIMAL_PLACES)


#: Each about 1 % above the one before, from 0.001 to above a million, with the decimals of `debt_per_unit`.
EDGES: Final = tuple(accumulate(repeat(Decimal("1.01"), 2099), _next, initial=Decimal("0.001")))
#: The bucket of debts without collateral.
INFINITE: Final = len(EDGES) + 1
#: Where each bucket but the infinite one begins, and before what it ends.
STARTS: Final = (ZERO, *EDGES)
ENDS: Final = (*EDGES, Decimal("Infinity"))


def bucket_of(debt_per_unit: Decimal) -> int:
    """The bucket that a debt per unit falls in."""
    return bisect_right(EDGES, debt_per_unit)


@dataclass(frozen=True, slots=True)
class Sums:
    """So many loans, with what they owe (GC) and their collateral (units)."""

    loans: int = 0
    balance: Decimal = ZERO
    collateral: Decimal = ZERO

    def __add__(self, other: "Sums") -> "Sums":
        """Both together, exactly."""
        with money.exact():
            return Sums(self.loans + other.loans, self.balance + other.balance, self.collateral + other.collateral)

    def at_most(self, other: "Sums") -> "Sums":
        """Of each figure the lower one."""
        return Sums(
            min(self.loans, other.loans),
            min(self.balance, other.balance),
            min(self.collateral, other.collateral),
        )

    def __sub__(self, other: "Sums") -> "Sums":
        """These without the others, which are among them."""
        with money.exact():
            return Sums(self.loans - other.loans, self.balance - other.balance, self.collateral - other.collateral)
