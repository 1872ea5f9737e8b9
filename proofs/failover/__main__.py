"""`python -m proofs.failover`: the database goes in the middle of a crash of prices; exit code 1 if a promise broke."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from rich.console import Console

from local.stack import EmbeddedStack, EmbeddedStackError
from proofs.kill_matrix.workers import SETTINGS

NAMES = ("synchronous", "asynchronous", "restored", "full-disk")


def main() -> int:
    """Play the cases that were asked for, and report."""
    parser = argparse.ArgumentParser(prog="python -m proofs.failover", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="CASE", help=", ".join(NAMES))
    parser.add_argument(
        "--short", action="store_true", help="few processes, short leases; end where statements name what was lost"
    )
    parser.add_argument("--folder", type=Path, default=Path(".local/failover"), help="data and logs (%(default)s)")
    options, console = parser.parse_args(), Console(width=160)
    shutil.rmtree(options.folder / "logs", ignore_errors=True)
    try:
        with EmbeddedStack(folder=options.folder) as stack:
            os.environ.update(SETTINGS | stack.owner_environment)
            import django  # noqa: PLC0415  (needs the environment, and so does all that follows)

            django.setup()
            from proofs.failover.outcome import table  # noqa: PLC0415
            from proofs.failover.play import play  # noqa: PLC0415

            outcomes = []
            for outcome in play(stack, options.only, short=options.short):
                outcomes.append(outcome)
                console.print(f"{outcome.case}: {outcome.verdict}", highlight=False, markup=False, soft_wrap=True)
            console.print(table(outcomes))
    except EmbeddedStackError as error:
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 2
    return int(any(outcome.complaints for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
