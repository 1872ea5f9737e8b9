"""LTV and what follows from it: pure rules, exact to the last digit.

LTV = outstanding balance / (collateral units × price per unit). Every comparison cross-multiplies Decimals in
`money.exact()`, so nothing is rounded: exact for a balance, units and price of up to 44 digits each and
thresholds of up to 32 digits. Balances are in GC, collateral in units, prices in GC a unit.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from coruscant import money
from coruscant.money import ZERO


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The LTVs at which something happens to a loan, as ratios (0.5 is 50 %)."""

    activation_ltv: Decimal
    margin_call_ltv: Decimal
    margin_call_clear_ltv: Decimal
    liquidation_ltv: Decimal


def ltv(balance: Decimal, collateral: Decimal, price: Decimal) -> Decimal | None:
    """The LTV to 120 significant digits, for showing only; None when the collateral is worth nothing."""
    with money.exact():
        value = collateral * price
        return balance / value if value else None


def collateral_value(collateral: Decimal, price: Decimal) -> Decimal:
    """What the collateral is worth, in GC, exactly."""
    with money.exact():
        return collateral * price


def must_liquidate(balance: Decimal, collateral: Decimal, price: Decimal, thresholds: Thresholds) -> bool:
    """Whether LTV is at or above the liquidation threshold. A debt without collateral counts as infinite LTV."""
    return balance > 0 and _reaches(balance, collateral, price, thresholds.liquidation_ltv)


def must_call(balance: Decimal, collateral: Decimal, price: Decimal, thresholds: Thresholds) -> bool:
    """Whether LTV is at or above the margin call threshold. A debt without collateral counts as infinite LTV."""
    return balance > 0 and _reaches(balance, collateral, price, thresholds.margin_call_ltv)


def must_notice(
    balance: Decimal, collateral: Decimal, price: Decimal, notice_ltv: Decimal, thresholds: Thresholds
) -> bool:
    """Whether LTV is at or above the notice LTV of these thresholds, but below the margin call threshold."""
    figures = balance, collateral, price
    reached = balance > 0 and _reaches(*figures, notice_ltv_under(notice_ltv, thresholds))
    return reached and not must_call(*figures, thresholds)


def notice_ltv_under(notice_ltv: Decimal, thresholds: Thresholds) -> Decimal:
    """The LTV of a notice under these thresholds: never below the one at which a notice ends."""
    return max(notice_ltv, thresholds.margin_call_clear_ltv)


def may_activate(balance: Decimal, collateral: Decimal, price: Decimal, thresholds: Thresholds) -> bool:
    """Whether there is collateral and LTV is at or below the activation threshold."""
    with money.exact():
        return collateral > 0 and balance <= thresholds.activation_ltv * collateral * price


def may_clear(balance: Decimal, collateral: Decimal, price: Decimal, thresholds: Thresholds) -> bool:
    """Whether LTV is below the clearing threshold, so that a margin call or a notice ends."""
    return balance == 0 or not _reaches(balance, collateral, price, thresholds.margin_call_clear_ltv)


def required_collateral(balance: Decimal, collateral: Decimal, price: Decimal, thresholds: Thresholds) -> Decimal:
    """Units still missing until a loan may be activated: rounded up to 24 decimals, 0 when there are enough.

    The price must be above zero. Both steps of the rounding go up, so posting exactly this much is enough.
    """
    with money.exact() as context:
        context.rounding = ROUND_CEILING
        needed = money.round_up(balance / (thresholds.activation_ltv * price), money.DECIMAL_PLACES)
        return max(ZERO, needed - collateral)


def price_at(balance: Decimal, collateral: Decimal, ltv: Decimal) -> Decimal | None:
    """The highest price of up to 24 decimals at which LTV is at or above `ltv`; None without collateral."""
    with money.exact():
        return money.round_down(balance / (ltv * collateral), money.DECIMAL_PLACES) if collateral else None


@dataclass(frozen=True, slots=True)
class CriticalPrices:
    """The highest prices (GC a unit) at which a loan as it stands gets a margin call, and is liquidated."""

    margin_call: Decimal
    liquidation: Decimal


def critical_prices(balance: Decimal, collateral: Decimal, thresholds: Thresholds) -> CriticalPrices | None:
    """Rounded down to 24 decimals; None without collateral or debt."""
    call = price_at(balance, collateral, thresholds.margin_call_ltv)
    liquidation = price_at(balance, collateral, thresholds.liquidation_ltv)
    return CriticalPrices(call, liquidation) if balance and call is not None and liquidation is not None else None


def search_floor(ltv: Decimal, price: Decimal) -> Decimal:
    """The lower bound of a range scan over `debt_per_unit` for LTV ≥ `ltv` at `price`.

    The threshold rounded *down* to the column's scale. The stored quotient is rounded to the same scale and
    rounding is monotone, so no loan at or above the threshold is missed; some just below it may be found.
    """
    with money.exact():
        return money.round_down(ltv * price, money.DECIMAL_PLACES)


def search_ceiling(ltv: Decimal, price: Decimal) -> Decimal:
    """The upper bound of a range scan over `debt_per_unit` for LTV ≤ `ltv` at `price`; as `search_floor`, upwards."""
    with money.exact():
        return money.round_up(ltv * price, money.DECIMAL_PLACES)


def _reaches(balance: Decimal, collateral: Decimal, price: Decimal, threshold: Decimal) -> bool:
    with money.exact():
        return balance >= threshold * collateral * price
