"""What a price would do to the book: pure, and exact but for the price reached, which says how near it is.

docs/stress-test.md has the method with an example. Figures in GC, units, GC a unit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from coruscant import money
from coruscant.money import ZERO
from desk.book.buckets import Sums
from desk.stress.depth import Depth
from loans.risk import Thresholds

#: The sums of the loans at or above a bound of debt per unit, one for each version of the terms.
AtOrAbove = Callable[[Mapping[int, Decimal]], Sums]

#: The price reached is taken once another step would lower it by no more than this share of it.
TOLERANCE: Final = Decimal("1e-9")
_MOST_STEPS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """Selling what some loans owe at one price a unit: units to sell, proceeds, and what is not covered."""

    price: Decimal
    units: Decimal
    proceeds: Decimal
    shortfall: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happens at `price`; `fall` is how far that is below the best price, as a share of it, if that is known.

    `called` loans reach their margin call LTV only, `sold` ones their liquidation LTV; those owe `owed`, and `units` of
    their `collateral` are sold at `reached` on the average. `rounds` is how often the depth of the markets is taken.
    """

    price: Decimal
    fall: Decimal | None
    called: int
    sold: int
    owed: Decimal
    collateral: Decimal
    units: Decimal
    reached: Decimal
    proceeds: Decimal
    shortfall: Decimal
    rounds: int


def outcome(
    at_or_above: AtOrAbove,
    terms: Mapping[int, Thresholds],
    price: Decimal,
    depth: Depth,
    *,
    fall: Decimal | None = None,
) -> Outcome:
    """What the book would be at a price, with the depth that the markets have then.

    With an empty depth everything is sold at the price itself.
    """
    call_lines, sale_lines = lines(terms, price)
    sold = at_or_above(sale_lines)

    def selling_at(reached: Decimal) -> Sale:
        return sale(sold, at_or_above({version: max(line, reached) for version, line in sale_lines.items()}), reached)

    taken = selling_at(price) if not depth.steps else along(selling_at, depth)
    return Outcome(
        price=price,
        fall=fall,
        called=at_or_above(call_lines).loans - sold.loans,
        sold=sold.loans,
        owed=sold.balance,
        collateral=sold.collateral,
        units=taken.units,
        reached=taken.price,
        proceeds=taken.proceeds,
        shortfall=taken.shortfall,
        rounds=rounds(taken.units, depth),
    )


def lines(terms: Mapping[int, Thresholds], price: Decimal) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    """From what debt per unit on loans are called at a price, and sold, for each version of the terms."""
    with money.exact():
        return (
            {version: ltvs.margin_call_ltv * price for version, ltvs in terms.items()},
            {version: ltvs.liquidation_ltv * price for version, ltvs in terms.items()},
        )


def sale(sold: Sums, under_water: Sums, price: Decimal) -> Sale:
    """Sell enough of each loan's collateral at `price` to cover its balance, or all of it where that is too little.

    `under_water` are those of the `sold` loans whose collateral does not cover them. All of it is exact, but that units
    are rounded up to 24 decimals.
    """
    covered = sold - under_water
    with money.exact() as context:
        shortfall = under_water.balance - price * under_water.collateral
        proceeds = sold.balance - shortfall
        context.rounding = ROUND_CEILING
        needed = money.round_up(max(ZERO, covered.balance) / price, money.DECIMAL_PLACES)
        return Sale(price=price, units=under_water.collateral + needed, proceeds=proceeds, shortfall=shortfall)


def along(selling_at: Callable[[Decimal], Sale], depth: Depth) -> Sale:
    """The sale at the average price that its own units reach along the depth.

    A lower price needs more units, and more units bring a lower price. So from the best price on, each step can only
    go down. The price is that of the first step which another would lower by at most TOLERANCE.
    """
    taken = selling_at(depth.average(ZERO))
    for _ in range(_MOST_STEPS):
        reached = depth.average(taken.units)
        with money.exact():
            near_enough = taken.price - reached <= TOLERANCE * taken.price
        if near_enough:
            break
        taken = selling_at(reached)
    return taken


def rounds(units: Decimal, depth: Depth) -> int:
    """How many times the markets' depth is taken until so many units are sold; 0 if it is not known."""
    if not depth.steps:
        return 0
    with money.exact():
        return int((units / depth.units).to_integral_value(rounding=ROUND_CEILING))


def price_after(price: Decimal, fall: Decimal) -> Decimal:
    """A price after a fall by a share of it, below 1; rounded up to 24 decimals, so never zero."""
    with money.exact():
        return money.round_up(price * (1 - fall), money.DECIMAL_PLACES)


def fall_to(price: Decimal, best_price: Decimal) -> Decimal:
    """How far a price lies below the best price, as a share of that, to 24 decimals; negative if it lies above."""
    with money.exact():
        return money.round_down(1 - price / best_price, money.DECIMAL_PLACES)
