"""Compare two commits in turns: `python -m benchmarks.compare --base REV --only chain --rounds 3 --scale quick`.

The machine's speed changes from hour to hour, so figures of two commits only compare if they were taken in turns: base,
head, base, head … Each commit is checked out into a folder of its own and runs its own `python -m benchmarks` there.
`--patch FILE` applies a patch to the head, which measures a change that is not committed.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.report import readable
from benchmarks.scale import SCALES
from benchmarks.stage import ROOT

SIDES = ("base", "head")


@dataclass(frozen=True, slots=True)
class Taken:
    """A figure as one run found it: its median, and that median as a multiple of its yardstick, if it has one."""

    what: str
    unit: str
    value: float
    yardstick: str
    times: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of both commits: medians over the rounds, and medians of the rounds' ratios, head to base.

    `relative` is the ratio of their multiples of the same yardstick; None where the yardsticks differ.
    """

    what: str
    unit: str
    base: float
    head: float
    ratio: float | None
    relative: float | None


def main(arguments: list[str] | None = None) -> int:
    """Check out, measure in turns, print. Returns 0. Raises SystemExit if a checkout or a run fails."""
    parser = argparse.ArgumentParser(prog="benchmarks.compare", description=__doc__)
    parser.add_argument("--base", default="HEAD", help="the commit to compare with")
    parser.add_argument("--head", default="HEAD", help="the commit to measure")
    parser.add_argument("--patch", type=Path, help="applied to the head")
    parser.add_argument("--only", nargs="+", choices=sorted(MEASUREMENTS), default=list(MEASUREMENTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", choices=sorted(SCALES), default="quick")
    parser.add_argument("--folder", type=Path, default=ROOT / ".local" / "compare", help="for results and logs")
    given = parser.parse_args(arguments)
    console, folder = Console(width=None if sys.stdout.isatty() else 160), given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with checkout(given.base, folder / "base") as base, checkout(given.head, folder / "head", given.patch) as head:
        found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
        for number in range(1, given.rounds + 1):
            for side, source in zip(SIDES, (base, head), strict=True):
                console.print(f"round {number} of {given.rounds}, {side}", highlight=False)
                found[side].append(run(source, folder / f"{number}-{side}", given.scale, given.only))
    changed = f" with {given.patch.name}" if given.patch else ""
    console.print(table(f"{given.head}{changed} compared with {given.base}", *found.values()))
    return 0


@contextmanager
def checkout(revision: str, folder: Path, patch: Path | None = None) -> Iterator[Path]:
    """A checkout of a revision, with the patch applied, for the length of a block. It shares this environment."""
    if folder.exists():  # an earlier run was killed
        _git("worktree", "remove", "--force", str(folder), folder=ROOT)
    _git("worktree", "add", "--force", "--detach", str(folder), revision, folder=ROOT)
    try:
        (folder / ".venv").symlink_to(sys.prefix)
        if patch:
            _git("apply", str(patch.resolve()), folder=folder)
        yield folder
    finally:
        _git("worktree", "remove", "--force", str(folder), folder=ROOT)


def run(source: Path, folder: Path, scale: str, only: Sequence[str]) -> dict[str, Any]:
    """Run the benchmarks of a checkout. Returns its results, which stay in the folder with the log."""
    folder.mkdir(exist_ok=True)
    results = folder / f"{scale}.json"
    results.unlink(missing_ok=True)
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks", "--scale", scale, "--results", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (folder / "log").open("w") as log:
        ran = subprocess.run(
            [*command, "--only", *only], cwd=source, env=environment, stdout=log, stderr=log, check=False
        )
    if ran.returncode:
        raise SystemExit(f"the benchmarks failed: see {folder / 'log'}")
    found: dict[str, Any] = json.loads(results.read_text())
    return found


def compared(base: Sequence[Mapping[str, Any]], head: Sequence[Mapping[str, Any]]) -> dict[str, list[Row]]:
    """Rows by measurement, from the results of each round. Figures that only one commit has are left out."""
    rows = {}
    for name in base[0]:
        ours, theirs = ([_taken(results[name]) for results in side] for side in (base, head))
        pairs = _pairs(ours[0], theirs[0])
        rows[name] = [_row([taken[a] for taken in ours], [taken[b] for taken in theirs]) for a, b in pairs]
    return rows


def table(title: str, base: Sequence[Mapping[str, Any]], head: Sequence[Mapping[str, Any]]) -> Table:
    """All rows, to print."""
    shown = Table(title=title, title_justify="left")
    for column in ("", "measured"):
        shown.add_column(column, overflow="fold")
    for column in (*SIDES, "head : base", "against the yardstick"):
        shown.add_column(column, justify="right")
    for name, rows in compared(base, head).items():
        for number, row in enumerate(rows):
            shown.add_row(
                name if number == 0 else "",
                row.what,
                f"{readable(row.base)} {row.unit}",
                f"{readable(row.head)} {row.unit}",
                _times(row.ratio),
                _times(row.relative),
                end_section=number == len(rows) - 1,
            )
    return shown


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}×"


def _taken(measured: Mapping[str, Any]) -> list[Taken]:
    found = []
    for figure in measured["figures"]:
        value, yardstick = figure["median"], figure["yardstick"] or {"what": "", "median": 0}
        times = value / yardstick["median"] if yardstick["median"] else None
        found.append(Taken(figure["what"], figure["unit"], value, yardstick["what"], times))
    return found


def _pairs(base: Sequence[Taken], head: Sequence[Taken]) -> list[tuple[int, int]]:
    """Which figure of the head is which of the base: that of the same name, else that of the same place and unit."""
    places, names = {taken.what: place for place, taken in enumerate(head)}, {taken.what for taken in base}
    pairs = []
    for place, taken in enumerate(base):
        if taken.what in places:
            pairs.append((place, places[taken.what]))
        elif place < len(head) and head[place].unit == taken.unit and head[place].what not in names:
            pairs.append((place, place))
    return pairs


def _row(base: Sequence[Taken], head: Sequence[Taken]) -> Row:
    return Row(
        head[0].what,
        head[0].unit,
        median(taken.value for taken in base),
        median(taken.value for taken in head),
        _ratio([taken.value for taken in base], [taken.value for taken in head]),
        _ratio([taken.times for taken in base], [taken.times for taken in head])
        if base[0].yardstick == head[0].yardstick
        else None,
    )


def _ratio(base: Sequence[float | None], head: Sequence[float | None]) -> float | None:
    ratios = [new / old for old, new in zip(base, head, strict=True) if old and new is not None]
    return median(ratios) if ratios else None


def _git(*arguments: str, folder: Path) -> None:
    ran = subprocess.run(["git", *arguments], cwd=folder, check=False, capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {ran.stderr.strip()}")


if __name__ == "__main__":
    raise SystemExit(main())
