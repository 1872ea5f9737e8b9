"""What a run prints and writes: one table, one JSON file, and a PNG for each plot."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, Measured, Plot

_LARGE, _MIDDLE = 100, 10


def table(found: Mapping[str, Measured]) -> Table:
    """All figures, each with its yardstick and its target."""
    shown = Table(title="Benchmarks", title_justify="left")
    for column, justify in (
        ("", "left"),
        ("measured", "left"),
        ("median", "right"),
        ("of", "right"),
        ("yardstick, in the same run", "left"),
        ("target", "left"),
        ("met", "left"),
    ):
        shown.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for name, measured in found.items():
        for number, figure in enumerate(measured.figures):
            met = "" if figure.target is None else "[green]yes[/green]" if figure.target.met else "[red]no[/red]"
            shown.add_row(
                name if number == 0 else "",
                figure.what,
                f"{readable(figure.value)} {figure.unit}",
                str(len(figure.runs)),
                _yardstick(figure),
                figure.target.words if figure.target else "",
                met,
                end_section=number == len(measured.figures) - 1,
            )
    return shown


def readable(value: float) -> str:
    """A number with three or more significant digits and no more decimals than they need."""
    size = abs(value)
    if size >= _LARGE:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= _MIDDLE else f"{value:.2f}"


def _yardstick(figure: Figure) -> str:
    yardstick = figure.yardstick
    if yardstick is None:
        return ""
    times = figure.times
    factor = f" ({readable(times)}×)" if times is not None else ""
    return f"{yardstick.what}: {readable(yardstick.value)} {yardstick.unit}{factor}"


def show(console: Console, found: Mapping[str, Measured], machine: Mapping[str, Any]) -> None:
    """Print the machine, the table and the notes."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    postgresql = ", ".join(f"{name}={value}" for name, value in machine["postgresql"].items())
    changed = " with changes" if machine["uncommitted_changes"] else ""
    load = f"load before {machine['load_before']:.2f}"
    for line in (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}; {load}",
        f"Commit {machine['commit']}{changed}; Python {machine['python']}, {packages}",
        f"PostgreSQL: {postgresql}",
    ):
        console.print(line, highlight=False)
    console.print(table(found))
    for name, measured in found.items():
        for note in measured.notes:
            console.print(f"{name}: {note}", highlight=False, markup=False)


def write(folder: Path, scale: str, found: Mapping[str, Measured], machine: Mapping[str, Any]) -> Path:
    """Write figures and plots. Other measurements in an existing file stay. Returns the path of the JSON file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{scale}.json"
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for name, measured in found.items():
        kept[name] = {"machine": dict(machine), **measured.as_json()}
        for plot in measured.plots:
            draw(plot, folder / f"{scale}-{plot.name}.png")
    path.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n")
    return path


def draw(plot: Plot, path: Path) -> None:
    """Draw a plot as a PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2), dpi=120)
    for curve in plot.curves:
        axes.plot(curve.x, curve.y, marker="o" if len(curve.x) < _LARGE else "", label=curve.name)
    if plot.logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.set(title=plot.title, xlabel=plot.x_axis, ylabel=plot.y_axis)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
