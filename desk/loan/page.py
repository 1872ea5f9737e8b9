"""What the page of a loan shows, read in a number of queries that does not depend on the loan."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Count, DecimalField, F, Sum
from django.db.models.functions import Coalesce

from coruscant.money import ZERO
from desk.evidence import books
from desk.loan import figures
from desk.loan.step import Step
from desk.loan.steps import steps
from desk.one_instant import one_instant
from liquidation.models import Liquidation, OrderStatus
from loans.models import Loan, MarginCall
from pricing.quotes import PricePoint

#: Steps that are shown unless all are asked for.
NEWEST: Final = 100
_ANY = DecimalField(max_digits=131, decimal_places=48)


@dataclass(frozen=True, slots=True)
class LoanPage:
    """A loan, its figures, and its steps, the oldest first; `is_whole`: all of them are there."""

    loan: Loan
    sale: Liquidation | None
    position: figures.Position
    money: figures.Money
    collateral: figures.Collateral
    margin_call: MarginCall | None
    steps: tuple[Step, ...]
    is_whole: bool


def loan_page(loan: Loan, point: PricePoint, *, whole: bool = False) -> LoanPage:
    """The page at a price: the newest steps of the loan, or all of them. Raises LoanNotFound. Locks nothing."""
    with one_instant():
        # One more than is shown tells whether there are more.
        found = books.read(loan.loan_id, None if whole else NEWEST + 1)
        sale = found.liquidation
        posted = found.loan.postings.aggregate(units=Coalesce(Sum("amount"), ZERO, output_field=_ANY))["units"]
        orders, expected = _filled(sale)
    read_whole = whole or _longest(found) <= NEWEST
    happened = steps(found, whole=read_whole)
    shown = happened if whole else happened[-NEWEST:]
    return LoanPage(
        loan=found.loan,
        sale=sale,
        position=figures.position(found.loan, sale, point.price, point.cautious.price),
        money=figures.money_of(found.loan, sale),
        collateral=figures.collateral_of(
            found.loan, sale, point.price, posted=posted, orders=orders, expected=expected
        ),
        margin_call=next((call for call in reversed(found.margin_calls) if call.closed_at is None), None),
        steps=tuple(shown),
        is_whole=read_whole and len(shown) == len(happened),
    )


def _longest(found: books.Books) -> int:
    """How many rows there are of the kind of which there are most."""
    kinds = (
        found.postings, found.margin_notices, found.margin_calls, found.withheld, found.loan_events, found.orders,
        found.answers, *found.history.values(),
    )  # fmt: skip
    return max(map(len, kinds))


def _filled(sale: Liquidation | None) -> tuple[int, Decimal]:
    """How many orders of a sale were filled, and what was quoted for what they traded, GC."""
    if sale is None:
        return 0, ZERO
    quoted = Coalesce(Sum(F("units_traded") * F("quoted_unit_price"), output_field=_ANY), ZERO, output_field=_ANY)
    filled = sale.orders.filter(status=OrderStatus.FILLED).aggregate(orders=Count("pk"), quoted=quoted)
    return filled["orders"], filled["quoted"]
