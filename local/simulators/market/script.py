"""Fixed price scripts: exact effective prices, one step per tick; the last step stays."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from local.simulators.exact import BadJsonError, read_decimal
from local.simulators.market.order_book import DEPTHS, Levels

_BUY_MARKUP = Decimal("1.01")
_HIGHEST_PRICE = Decimal(10) ** 12


class ScriptedPrices:
    """Returns the steps in order, and the last one from then on."""

    def __init__(self, steps: list[Levels]) -> None:
        """Take at least one step."""
        self._steps = steps
        self._next = 0

    def next(self, seconds: Decimal) -> Levels:
        """Return the levels of this tick. How long a tick lasts does not matter."""
        levels = self._steps[self._next]
        self._next = min(self._next + 1, len(self._steps) - 1)
        return levels


def read_script(script: Any) -> list[Levels]:
    """Read a script: a list of steps, or one step alone.

    A step is a price (the same for every quantity) or `{"sell": …, "buy": …, "ticks": 1}`, where sell
    and buy are a price or prices by quantity, such as `{"1": "50", "100": "49"}`; buy may be left out.
    Prices are decimal strings or JSON numbers, in GC per unit. Raises BadJsonError for anything else.
    """
    steps: list[Levels] = []
    for step in script if isinstance(script, list) else [script]:
        steps.extend(_read_step(step))
    if not steps:
        raise BadJsonError("a price script needs a step")
    return steps


def _read_step(step: Any) -> list[Levels]:
    if not isinstance(step, Mapping):
        step = {"sell": step}
    unknown = set(step) - {"sell", "buy", "ticks"}
    if unknown or "sell" not in step:
        raise BadJsonError("a step has `sell`, and maybe `buy` and `ticks`")
    sell = _read_side(step["sell"], "sell")
    buy = _read_side(step["buy"], "buy") if "buy" in step else _marked_up(sell)
    ticks = read_decimal(step.get("ticks", Decimal(1)), "ticks")
    if not 1 <= ticks <= 100_000 or ticks % 1:
        raise BadJsonError("ticks must be a whole number from 1 to 100000")
    return [Levels(sell, buy)] * int(ticks)


def _marked_up(sell: dict[int, Decimal]) -> dict[int, Decimal]:
    best = max(sell.values())
    return dict.fromkeys(sell, best * _BUY_MARKUP)


def _read_side(side: Any, name: str) -> dict[int, Decimal]:
    if not isinstance(side, Mapping):
        return dict.fromkeys(DEPTHS, _read_price(side, name))
    if not side or not set(side) <= {str(depth) for depth in DEPTHS}:
        raise BadJsonError(f"{name} has prices for quantities among {', '.join(map(str, DEPTHS))}")
    prices = {int(depth): _read_price(price, name) for depth, price in side.items()}
    totals = [depth * prices[depth] for depth in sorted(prices)]
    if any(later <= earlier for earlier, later in pairwise(totals)):
        raise BadJsonError(f"{name} would make more units worth less in total")
    return prices


def _read_price(given: Any, name: str) -> Decimal:
    price = read_decimal(given, f"a price to {name} at")
    if not 0 < price < _HIGHEST_PRICE or price != price.quantize(Decimal("0.00000001")):
        raise BadJsonError("a price is positive and has at most 8 decimals")
    return price
