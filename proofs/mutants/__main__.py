"""`python -m proofs.mutants`: plant every bug of the catalogue, one at a time, and say who noticed it."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.stack import EmbeddedStack, EmbeddedStackError
from proofs.mutants.catalogue import MUTANTS, named
from proofs.mutants.detection import Detection, detect
from proofs.mutants.planting import Mutant
from proofs.simulation.__main__ import SETTINGS
from proofs.simulation.processes import migrate

_WIDTH = 170
_SAID = 90


def main() -> int:
    """Plant each bug; the exit code is 1 if one survives."""
    parser = argparse.ArgumentParser(prog="python -m proofs.mutants", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names of mutants; all if none is given")
    parser.add_argument("--schedules", type=int, default=400, help="of the simulation, for each (%(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="at a time (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".local/mutants"), help="data and logs (%(default)s)")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        mutants = [named(name) for name in options.only] or list(MUTANTS)
        with EmbeddedStack(folder=options.folder, durable=False) as stack:
            os.environ.update(SETTINGS | stack.owner_environment)
            migrate()
            detections = {}
            for detection in _detect(mutants, stack.superuser_database_url, options.schedules, options.processes):
                detections[detection.name] = detection
                print(f"{len(detections)} of {len(mutants)}: {detection.name}: {_in_short(detection)}", flush=True)
    except (EmbeddedStackError, LookupError) as error:
        print(error)
        return 2
    _print_table([detections[mutant.name] for mutant in mutants], time.monotonic() - began)
    return any(detection.survived for detection in detections.values())


def _detect(mutants: Sequence[Mutant], url: str, schedules: int, processes: int) -> Iterator[Detection]:
    """Each in a fresh process, since a bug is planted before what it changes is imported."""
    with ProcessPoolExecutor(processes, get_context("spawn"), max_tasks_per_child=1) as pool:
        for done in as_completed([pool.submit(detect, mutant.name, url, schedules) for mutant in mutants]):
            yield done.result()


def _in_short(detection: Detection) -> str:
    """A detection on one line."""
    if detection.promise:
        return f"the simulation, in schedule {detection.schedules}: {detection.promise[:_SAID]}"
    return detection.test or detection.noticed_by


def _print_table(detections: Sequence[Detection], seconds: float) -> None:
    """The table, in the catalogue's order, and the sum."""
    table = Table()
    for column, width in (("bug", 70), ("noticed by", 10), ("schedules", 9), ("what it said", 64)):
        table.add_column(column, no_wrap=True, width=width)
    for detection in detections:
        schedules = str(detection.schedules) if detection.promise else ""
        said = (detection.promise or detection.test).rpartition("/")[2] if detection.test else detection.promise
        table.add_row(named(detection.name).bug, detection.noticed_by, schedules, said[:_SAID])
    Console(width=_WIDTH).print(table, markup=False)
    survived = [detection.name for detection in detections if detection.survived]
    by_simulation = sum(bool(detection.promise) for detection in detections)
    print(
        f"{len(detections)} planted bugs in {seconds:.0f} s: {by_simulation} noticed by the simulation,"
        f" {len(detections) - by_simulation - len(survived)} by a test, {len(survived)} survived"
        + (f": {', '.join(survived)}" if survived else "")
    )


if __name__ == "__main__":
    sys.exit(main())
