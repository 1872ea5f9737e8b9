"""Where the lines, bars and marks of the overview's charts lie. Pure: figures in, coordinates out.

Coordinates are pixels of the chart's own view box. They are shown and decide nothing, so they may be floats.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

WIDTH, HEIGHT = 640, 200
#: A price so many times the median, such as a false quote, is drawn at the edge: it would flatten all others.
_FAR = 3
#: Room for the labels of the axes.
_LEFT, _BOTTOM, _TOP = 44, 20, 12


@dataclass(frozen=True, slots=True)
class Line:
    """A market's price as polylines: a new one begins after each gap. `points` fit the attribute of SVG."""

    label: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a place of the chart."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A column of the histogram."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class PriceChart:
    """Lines, grid and marks."""

    lines: tuple[Line, ...]
    grid: tuple[Mark, ...]
    times: tuple[Mark, ...]
    marks: tuple[Mark, ...]


def price_chart(
    series: Mapping[str, Sequence[tuple[datetime, Decimal | None]]],
    claims: Iterable[tuple[datetime, Decimal, str]],
) -> PriceChart | None:
    """The prices of all markets over the same time, with what was claimed; None if there is no price at all."""
    claimed = list(claims)
    prices = [price for points in series.values() for _at, price in points if price is not None]
    if not prices:
        return None
    instants = [at for points in series.values() for at, _price in points]
    start, end = min(instants), max(instants)
    middle = statistics.median(prices)
    low = max(middle / _FAR, min([*prices, *(price for _at, price, _text in claimed)]))
    high = min(middle * _FAR, max(prices))
    margin = (high - low) / 10 or high / 20
    low, high = max(Decimal(0), low - margin), high + margin

    def x(at: datetime) -> float:
        share = (at - start) / (end - start)
        return round(_LEFT + min(max(share, 0), 1) * (WIDTH - _LEFT), 1)

    def y(price: Decimal) -> float:
        share = (high - min(max(price, low), high)) / (high - low)
        return round(_TOP + float(share) * (HEIGHT - _TOP - _BOTTOM), 1)

    lines = tuple(
        Line(label, tuple(" ".join(f"{x(at)},{y(price)}" for at, price in part) for part in _parts(points)))
        for label, points in series.items()
    )
    grid = tuple(Mark(_LEFT, y(level), f"{level:,.2f}") for level in (low + margin, (low + high) / 2, high - margin))
    times = tuple(Mark(x(at), HEIGHT - 4, f"{at:%H:%M}") for at in (start, start + (end - start) / 2, end))
    marks = tuple(Mark(x(at), y(price), text) for at, price, text in claimed)
    return PriceChart(lines, grid, times, marks)


def bars(columns: Sequence[tuple[str, int, str]]) -> tuple[Bar, ...]:
    """A bar for each (label, number, kind), from left to right."""
    most = max((number for _label, number, _kind in columns), default=0) or 1
    width = WIDTH / max(len(columns), 1)
    return tuple(
        Bar(
            x=round(place * width + 2, 1),
            y=round(HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * number / most, 1),
            width=round(width - 4, 1),
            height=round((HEIGHT - _BOTTOM - _TOP) * number / most, 1),
            kind=kind,
            text=label,
        )
        for place, (label, number, kind) in enumerate(columns)
    )


def _parts(points: Sequence[tuple[datetime, Decimal | None]]) -> list[list[tuple[datetime, Decimal]]]:
    """The stretches of time with a price."""
    parts: list[list[tuple[datetime, Decimal]]] = [[]]
    for at, price in points:
        if price is not None:
            parts[-1].append((at, price))
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]
