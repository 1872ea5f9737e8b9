"""`python -m proofs.kill_matrix`: play every cell and say whether every promise held; exit code 1 if not."""

import argparse
import sys
import time
from pathlib import Path

from proofs.kill_matrix.cells import Cell, cells, interleaved
from proofs.kill_matrix.names import failpoints_in_source
from proofs.kill_matrix.report import line, summary
from proofs.kill_matrix.workers import WorkerLost, play_in_parallel


def main() -> int:
    """Play the cells that were asked for, and report."""
    parser = argparse.ArgumentParser(prog="python -m proofs.kill_matrix", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="CELL", help="such as sell.answered:1, 'sell.*', 'freeze *'")
    parser.add_argument("--short", action="store_true", help="a short lease and recovery period, not the defaults")
    parser.add_argument("--workers", type=int, default=4, help="cells at a time (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".local/kill-matrix"), help="data and logs (%(default)s)")
    options = parser.parse_args()
    chosen = [cell for cell in cells(failpoints_in_source()) if _is_wanted(cell, options.only)]
    if not chosen:
        parser.error("no cell fits")
    began, outcomes = time.monotonic(), []
    try:
        for outcome in play_in_parallel(
            interleaved(chosen), options.folder, workers=options.workers, short=options.short
        ):
            outcomes.append(outcome)
            print(line(outcome), flush=True)
    except WorkerLost as error:
        print(error)
        return 2
    print(summary(outcomes, time.monotonic() - began))
    return int(any(outcome.complaints for outcome in outcomes))


def _is_wanted(cell: Cell, patterns: list[str] | None) -> bool:
    return patterns is None or any(cell.fits(pattern) for pattern in patterns)


if __name__ == "__main__":
    sys.exit(main())
