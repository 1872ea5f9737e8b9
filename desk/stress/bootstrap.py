"""How far a price may fall within a horizon, drawn from how it has moved: a block bootstrap. Pure.

A path is made of blocks of consecutive recorded steps, drawn with replacement, so that what comes together (a crash is
many steps) stays together. Its fall is the largest from its beginning. Estimates, to 16 digits; the same seed draws the
same paths.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from itertools import groupby, pairwise
from random import Random
from typing import Final

from coruscant.money import ZERO

_DIGITS: Final = Context(prec=16)
_ONE: Final = Decimal(1)
_PLACES: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Recorded:
    """The price at an instant, and the lowest since the record before; None: unknown."""

    at: datetime
    price: Decimal | None
    lowest: Decimal | None


@dataclass(frozen=True, slots=True)
class Step:
    """A period: its last price and its lowest, each as a ratio of the last price of the period before."""

    last: Decimal
    lowest: Decimal


def steps(records: Iterable[Recorded], period: timedelta) -> list[Step]:
    """The steps between each two adjacent periods (of a minute, or an hour) whose prices are known.

    `records` ascend in time. Gaps are left out: nobody knows how the price moved within them.
    """
    found = []
    for (start, before), (next_start, after) in pairwise(_periods(records, period)):
        if next_start - start != period or not before.price or after.price is None or after.lowest is None:
            continue
        with localcontext(_DIGITS):
            found.append(Step(after.price / before.price, min(after.lowest, after.price) / before.price))
    return found


def falls(recorded: Sequence[Step], *, horizon: int, paths: int, seed: int) -> list[Decimal]:
    """The largest fall of each of so many paths of `horizon` steps, as a share of the price, in ascending order.

    A block is about as long as the cube root of the number of steps. At least one step is needed.
    """
    block = max(1, round(len(recorded) ** (1 / 3)))
    random = Random(seed)  # noqa: S311  (a draw, not a secret)
    found = []
    with localcontext(_DIGITS):
        for _ in range(paths):
            path: list[Step] = []
            while len(path) < horizon:
                first = random.randrange(max(1, len(recorded) - block + 1))
                path += recorded[first : first + block]
            found.append(_fall(path[:horizon]))
    return sorted(found)


def at_least(ascending: Sequence[Decimal], share: Decimal) -> Decimal:
    """The smallest fall that at least this share of the falls do not exceed, rounded up to 6 decimals; below 1."""
    place = int((share * len(ascending)).to_integral_value(rounding=ROUND_CEILING))
    return min(ascending[max(0, place - 1)].quantize(_PLACES, rounding=ROUND_CEILING), _ONE - _PLACES)


def _fall(path: Sequence[Step]) -> Decimal:
    price, lowest = _ONE, _ONE
    for step in path:
        lowest = min(lowest, price * step.lowest)
        price *= step.last
    return max(ZERO, _ONE - lowest)


def _periods(records: Iterable[Recorded], period: timedelta) -> list[tuple[datetime, Recorded]]:
    """The start of each period there is a record of, with its last price and its lowest."""
    found = []
    for start, group in groupby(records, key=lambda record: _start(record.at, period)):
        members = list(group)
        lows = [record.lowest for record in members if record.lowest is not None]
        found.append((start, Recorded(members[-1].at, members[-1].price, min(lows, default=None))))
    return found


def _start(at: datetime, period: timedelta) -> datetime:
    return at - (at - datetime(1970, 1, 1, tzinfo=at.tzinfo)) % period
