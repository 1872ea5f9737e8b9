"""Figures: several runs and their median, the yardstick they stand beside, and the reach they are held to. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Reach:
    """What a figure is held to, in words, and whether it was met."""

    words: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure: a value for each run, of which the median counts."""

    what: str
    runs: tuple[float, ...]
    unit: str
    yardstick: "Figure | None" = None
    reach: Reach | None = None

    @property
    def value(self) -> float:
        """The median of the runs."""
        return median(self.runs)

    @property
    def times(self) -> float | None:
        """The figure as a multiple of its yardstick; None if there is none, or it is 0."""
        return self.value / self.yardstick.value if self.yardstick and self.yardstick.value else None

    def as_json(self) -> dict[str, Any]:
        """The figure as it is written to a file."""
        return {
            "what": self.what,
            "median": self.value,
            "unit": self.unit,
            "runs": list(self.runs),
            "yardstick": self.yardstick.as_json() if self.yardstick else None,
            "reach": {"words": self.reach.words, "met": self.reach.met} if self.reach else None,
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


def under(value: float, most: float, words: str) -> Reach:
    """A reach that a value meets by being at most so much."""
    return Reach(words, value <= most)


def over(value: float, least: float, words: str) -> Reach:
    """A reach that a value meets by being at least so much."""
    return Reach(words, value >= least)
