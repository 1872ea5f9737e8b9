"""Where the lines of the curve of falls lie. Pure: figures in, coordinates out.

Coordinates are pixels of the chart's own view box. They are shown and decide nothing, so they may be floats.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from desk.stress.rules import Outcome

WIDTH, HEIGHT = 640, 220
#: Room for the labels of the axes.
_LEFT, _BOTTOM, _TOP = 64, 20, 12
#: A label at each tenth percent.
_EACH = 10


@dataclass(frozen=True, slots=True)
class Label:
    """Text at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class CurveChart:
    """What is owed by the loans that are sold, and the shortfall, over the fall: points as SVG has them."""

    owed: str
    shortfall: str
    amounts: tuple[Label, ...]
    falls: tuple[Label, ...]


def of(curve: Sequence[Outcome]) -> CurveChart | None:
    """The chart of a curve; None if there is none, or no loan is ever sold."""
    most = max((point.owed for point in curve), default=Decimal(0))
    if not most:
        return None

    def x(place: int) -> float:
        return round(_LEFT + place / (len(curve) - 1) * (WIDTH - _LEFT - 16), 1)

    def y(amount: Decimal) -> float:
        return round(_TOP + float(1 - amount / most) * (HEIGHT - _TOP - _BOTTOM), 1)

    def line(figure: Callable[[Outcome], Decimal]) -> str:
        return " ".join(f"{x(place)},{y(figure(point))}" for place, point in enumerate(curve))

    return CurveChart(
        owed=line(lambda point: point.owed),
        shortfall=line(lambda point: point.shortfall),
        amounts=tuple(Label(_LEFT, y(most * share), f"{most * share:,.0f}") for share in (Decimal("0.5"), Decimal(1))),
        falls=tuple(
            Label(x(place), HEIGHT - 4, f"−{point.fall or 0:.0%}")
            for place, point in enumerate(curve)
            if place % _EACH == 0
        ),
    )
