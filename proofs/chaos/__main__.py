"""`python -m proofs.chaos --seconds 300`: one thing breaks at a time, then two, and everything must recover.

With `--alarms` each of many faults is left as it is until its alerts fire, for as long as that takes.
"""

import argparse
import shutil
import signal
import sys
from pathlib import Path

from rich.console import Console

from local.demo.errors import DemoError
from local.demo.settings import Options
from local.stack import EmbeddedStack, EmbeddedStackError
from proofs.chaos.faults import ALARMS, EVERY, FAULTS
from proofs.chaos.run import Run


def main() -> int:
    """Play and leave nothing running, whatever ends it."""
    parser = argparse.ArgumentParser(prog="python -m proofs.chaos", description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="for the faults and their recovery (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the order of faults, and of the load (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=sorted(EVERY), metavar="FAULT", help="play these only")
    parser.add_argument("--alarms", action="store_true", help="leave each fault as it is until all its alerts fire")
    parser.add_argument("--port", type=int, default=4000, help="of the web (%(default)s)")
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    parser.add_argument("--rate", type=float, default=4.0, help="loan applications a second (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".local/chaos"), help="data and logs (%(default)s)")
    arguments, console = parser.parse_args(), Console(width=120)
    if arguments.list:
        for name, fault in EVERY.items():
            console.print(f"{name:24} {fault.what}", highlight=False, soft_wrap=True)
        return 0
    options = Options(
        seconds=arguments.seconds,
        workers=1,
        web=1,
        beats=1,
        port=arguments.port,
        folder=arguments.folder.absolute(),
        seed=arguments.seed,
        rate=arguments.rate,
        faults="0.3",
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    shutil.rmtree(options.folder / "logs", ignore_errors=True)  # what an operator finds must be of this run
    try:
        with EmbeddedStack(folder=options.folder) as stack:
            names = arguments.only or list(ALARMS if arguments.alarms else FAULTS)
            run = Run(options, stack, console, names, alarms=arguments.alarms)
            try:
                return run.play()
            finally:
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN)
                run.clear()
    except (DemoError, EmbeddedStackError) as error:
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
