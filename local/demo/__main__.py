"""`python -m local.demo`: the whole service and the simulators on this machine, until Ctrl-C or for --seconds."""

import argparse
import signal
import sys
from pathlib import Path

from rich.console import Console

from local.demo.errors import DemoError
from local.demo.run import Run
from local.demo.settings import Options
from local.stack import EmbeddedStack, EmbeddedStackError


def positive(text: str) -> int:
    """Read a whole number of at least one."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def read_options() -> Options:
    """Read the command line; exits with a usage message if it is not valid."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--seconds", type=positive, help="end after so long, with a verdict as exit code")
    parser.add_argument("--workers", type=positive, default=1, help="sets of three workers (%(default)s)")
    parser.add_argument("--web", type=positive, default=1, help="web servers on the same port (%(default)s)")
    parser.add_argument("--beats", type=positive, default=1, help="schedulers (%(default)s)")
    parser.add_argument(
        "--port", type=positive, default=4000, help="of API and admin, or the next free one (%(default)s)"
    )
    parser.add_argument("--folder", type=Path, default=Path(".local/demo"), help="data and logs (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of prices, faults and clients (%(default)s)")
    parser.add_argument("--rate", type=float, default=3.0, help="loan applications a second (%(default)s)")
    parser.add_argument("--faults", default="0.3", help="share of orders that the markets fail (%(default)s)")
    parser.add_argument("--screenshot", type=Path, help="write the view of the busiest moment here, as SVG")
    chosen = vars(parser.parse_args())
    chosen["folder"] = chosen["folder"].absolute()
    return Options(**chosen)


def main() -> int:
    """Play the demo and leave nothing running, whatever ends it."""
    options, console = read_options(), Console()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        console.print("Starting PostgreSQL, Valkey, SNS and SQS …")
        with EmbeddedStack(folder=options.folder) as stack:
            run = Run(options, stack, console)
            try:
                return run.play()
            finally:
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN)
                console.print("Stopping everything …")
                run.stop()
    except (DemoError, EmbeddedStackError) as error:
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 0 if options.seconds is None else 130


if __name__ == "__main__":
    sys.exit(main())
