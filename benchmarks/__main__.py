"""Take the figures: `python -m benchmarks`; `--scale quick` takes minutes, `--only crash chain` takes some of them."""

import argparse
import importlib
import sys
import time
from pathlib import Path

from rich.console import Console

from benchmarks import report
from benchmarks.figures import Measured
from benchmarks.scale import SCALES
from benchmarks.stage import ROOT, Stage

#: In the order they are taken: those with the largest bank first. The letter is the figure's name in docs/scaling.md.
MEASUREMENTS = {
    "quiet_tick": "a",
    "crash": "b",
    "margin_calls": "j",
    "loan_lists": "f",
    "chain": "c",
    "pools": "c",
    "tick_to_claim": "d",
    "top_ups": "e",
    "ingestion": "g",
    "growth": "h",
    "desk": "i",
}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write. Returns 0 even where a target is missed: this is no test."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--scale", choices=sorted(SCALES), default="full")
    parser.add_argument("--only", nargs="+", choices=sorted(MEASUREMENTS), default=list(MEASUREMENTS))
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--folder", type=Path, default=ROOT / ".local" / "benchmarks", help="for the stack's data")
    given = parser.parse_args(arguments)
    console, scale = Console(width=None if sys.stdout.isatty() else 160), SCALES[given.scale]
    found: dict[str, Measured] = {}
    with Stage(given.folder, console) as stage:
        from benchmarks import machine

        machine.require_durability()
        described = machine.describe()
        for name, letter in MEASUREMENTS.items():
            if name not in given.only:
                continue
            stage.say(f"[bold]{letter} {name}[/bold]")
            began = time.monotonic()
            found[f"{letter} {name}"] = importlib.import_module(f"benchmarks.{name}").measure(stage, scale)
            stage.say(f"{letter} {name} took {time.monotonic() - began:.0f} s")
            machine.require_durability()
        found = dict(sorted(found.items()))
    report.show(console, found, described)
    console.print(f"Written to {report.write(given.results, given.scale, found, described)}", highlight=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
