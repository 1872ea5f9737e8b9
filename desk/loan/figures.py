"""The figures of a loan's page: where its LTV stands between its lines, money, and collateral. Pure.

Money is in GC, collateral in units, prices in GC a unit, LTVs as ratios.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from coruscant import money
from coruscant.admin.figures import percent
from coruscant.money import ZERO
from liquidation.models import Liquidation
from loans import risk
from loans.models import Loan, LoanStatus
from loans.risk import Thresholds

_WIDTH: Final = 400
_LABEL: Final = 24  # half of one


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the meter between two lines: `kind` is safe, watch, call or sale."""

    left: Decimal
    width: Decimal
    kind: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the meter, with what is written there, and where."""

    left: Decimal
    text: str
    text_left: Decimal


@dataclass(frozen=True, slots=True)
class Meter:
    """LTV from 0 to 100 % with the lines of the loan's terms, 400 wide; `words` say the same."""

    segments: tuple[Segment, ...]
    lines: tuple[Mark, ...]
    ltv: Mark | None
    words: str


@dataclass(frozen=True, slots=True)
class Position:
    """What the loan's LTV is, now or at its claim, and what would have to happen for it to be another.

    `call_at` and `sale_at` are the highest prices at which it is called and sold; the falls are those from `price` to
    them, as shares of it. `missing` are units up to the activation LTV, of a loan that takes collateral.
    """

    at_claim: bool
    price: Decimal | None
    ltv: Decimal | None
    thresholds: Thresholds
    call_at: Decimal | None
    sale_at: Decimal | None
    fall_to_call: Decimal | None
    fall_to_sale: Decimal | None
    missing: Decimal | None
    meter: Meter


@dataclass(frozen=True, slots=True)
class Money:
    """GC. `disbursed` is what was applied for while the loan is new."""

    is_disbursed: bool
    disbursed: Decimal
    outstanding: Decimal
    proceeds: Decimal | None = None
    surplus: Decimal | None = None
    shortfall: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Collateral:
    """Units. `slippage` is how much more the filled orders brought than was quoted for them, as a share of that."""

    posted: Decimal
    left: Decimal
    value: Decimal | None
    sold: Decimal | None = None
    orders: int = 0
    is_settled: bool = False
    average_price: Decimal | None = None
    slippage: Decimal | None = None


def position(loan: Loan, sale: Liquidation | None, price: Decimal | None, activates_at: Decimal | None) -> Position:
    """Of a claimed loan at its claim; of any other at the best price now. `activates_at` decides what is missing."""
    if sale:
        balance, units, price, thresholds = (
            sale.balance_at_claim, sale.collateral_at_claim, sale.price, sale.terms.thresholds
        )  # fmt: skip
    else:
        balance, units, thresholds = loan.outstanding_balance, loan.collateral, loan.terms.thresholds
    ltv = None if price is None else risk.ltv(balance, units, price)
    critical = risk.critical_prices(balance, units, thresholds)
    missing = None
    if activates_at is not None and loan.status in (LoanStatus.NEW, LoanStatus.ACTIVE):
        missing = risk.required_collateral(balance, units, activates_at, thresholds)
    call_at, sale_at = (critical.margin_call, critical.liquidation) if critical else (None, None)
    return Position(
        at_claim=sale is not None, price=price, ltv=ltv, thresholds=thresholds, call_at=call_at, sale_at=sale_at,
        fall_to_call=None if sale else _fall(price, call_at), fall_to_sale=None if sale else _fall(price, sale_at),
        missing=missing, meter=meter(ltv, thresholds),
    )  # fmt: skip


def meter(ltv: Decimal | None, thresholds: Thresholds) -> Meter:
    """The meter of an LTV; one above 100 % stands at its end."""
    named = (
        ("activation", thresholds.activation_ltv), ("margin calls end", thresholds.margin_call_clear_ltv),
        ("margin call", thresholds.margin_call_ltv), ("liquidation", thresholds.liquidation_ltv),
    )  # fmt: skip
    ends = (thresholds.activation_ltv, thresholds.margin_call_ltv, thresholds.liquidation_ltv, Decimal(1))
    said = "No LTV" if ltv is None else f"LTV {percent(ltv)}"
    return Meter(
        segments=tuple(_segments(ends)),
        lines=tuple(_apart(sorted({line for _name, line in named}))),
        ltv=None if ltv is None else _mark(ltv, percent(ltv)),
        words=f"{said}; {', '.join(f'{name} {percent(line)}' for name, line in named)}",
    )


def money_of(loan: Loan, sale: Liquidation | None) -> Money:
    """The loan's money; of the sale, as far as it has come."""
    is_disbursed = loan.activated_at is not None
    if sale is None:
        return Money(is_disbursed, loan.amount, loan.outstanding_balance)
    return Money(
        is_disbursed, loan.amount, loan.outstanding_balance, sale.proceeds, sale.surplus, sale.shortfall
    )  # fmt: skip


def collateral_of(
    loan: Loan, sale: Liquidation | None, price: Decimal | None, *, posted: Decimal, orders: int, expected: Decimal
) -> Collateral:
    """The loan's units. `orders` were filled, and quoted at `expected` GC for what they traded."""
    value = None if price is None else risk.collateral_value(loan.collateral, price)
    if sale is None:
        return Collateral(posted, loan.collateral, value)
    with money.exact():
        average = sale.proceeds / sale.collateral_sold if sale.collateral_sold else None
        slippage = sale.proceeds / expected - 1 if expected else None
    return Collateral(
        posted, loan.collateral, value, sold=sale.collateral_sold, orders=orders,
        is_settled=sale.settled_at is not None, average_price=average, slippage=slippage,
    )  # fmt: skip


def _fall(price: Decimal | None, to: Decimal | None) -> Decimal | None:
    """How far a price would have to fall, as a share of it; nothing if it is there already."""
    if not price or to is None:
        return None
    with money.exact():
        return max(ZERO, 1 - to / price)


def _segments(ends: tuple[Decimal, ...]) -> Iterator[Segment]:
    begin = ZERO
    for end, kind in zip(ends, ("safe", "watch", "call", "sale"), strict=True):
        if end > begin:
            yield Segment(_left(begin), _left(end) - _left(begin), kind)
            begin = end


def _apart(lines: list[Decimal]) -> Iterator[Mark]:
    """Marks of the lines; of two that are too close, the first goes without its text."""
    for line, following in zip(lines, [*lines[1:], Decimal(2)], strict=True):
        text = percent(line).removesuffix(" %").removesuffix(".00")
        yield _mark(line, text if _left(following) - _left(line) >= _LABEL or following > 1 else "")


def _mark(ltv: Decimal, text: str) -> Mark:
    left = _left(min(ltv, Decimal(1)))
    return Mark(left, text, min(max(left, Decimal(_LABEL)), Decimal(_WIDTH - _LABEL)))


def _left(ltv: Decimal) -> Decimal:
    return round(min(ltv, Decimal(1)) * _WIDTH, 1)
