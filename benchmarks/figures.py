"""Figures: the values of several runs and their median, the yardstick they are compared with, and a target. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach, in words, and whether it did."""

    words: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure: a value for each run, of which the median counts.

    The yardstick is something simpler, measured in the same run. A speed is only ever held to a multiple of it, because
    the machine itself is faster in one hour than in the next.
    """

    what: str
    runs: tuple[float, ...]
    unit: str
    yardstick: "Figure | None" = None
    target: Target | None = None

    @property
    def value(self) -> float:
        """The median of the runs."""
        return median(self.runs)

    @property
    def times(self) -> float | None:
        """The figure as a multiple of its yardstick; None if there is none, or it is 0."""
        return self.value / self.yardstick.value if self.yardstick and self.yardstick.value else None

    def against(self, yardstick: "Figure") -> Self:
        """The figure with its yardstick."""
        return replace(self, yardstick=yardstick)

    def at_least(self, times: float) -> Self:
        """The figure, held to at least so many times its yardstick."""
        return replace(self, target=Target(f"≥ {times:g}×", self.times is not None and self.times >= times))

    def at_most(self, times: float) -> Self:
        """The figure, held to at most so many times its yardstick."""
        return replace(self, target=Target(f"≤ {times:g}×", self.times is not None and self.times <= times))

    def no_more_than(self, most: float) -> Self:
        """The figure, held to an absolute limit. Only for what does not depend on speed: bytes and memory."""
        return replace(self, target=Target(f"≤ {most:,g} {self.unit}", self.value <= most))

    def as_json(self) -> dict[str, Any]:
        """The figure as it is written to a file."""
        return {
            "what": self.what,
            "median": self.value,
            "unit": self.unit,
            "runs": list(self.runs),
            "yardstick": self.yardstick.as_json() if self.yardstick else None,
            "target": {"words": self.target.words, "met": self.target.met} if self.target else None,
        }


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a plot: y over x."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A picture of some curves. `logarithmic` scales both axes so."""

    name: str
    title: str
    x_axis: str
    y_axis: str
    curves: tuple[Curve, ...]
    logarithmic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one measurement found: its figures, notes in words, and plots."""

    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The findings as they are written to a file; plots as their points."""
        return {
            "figures": [figure.as_json() for figure in self.figures],
            "notes": list(self.notes),
            "curves": {curve.name: [list(curve.x), list(curve.y)] for plot in self.plots for curve in plot.curves},
            "details": dict(self.details),
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed. At least one value is needed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
