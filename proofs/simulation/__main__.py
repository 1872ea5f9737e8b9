"""`python -m proofs.simulation --seeds N`: play N schedules and say whether every promise held; --seed K plays one."""

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from local.stack import EmbeddedStack, EmbeddedStackError
from pricing.markets import Market
from proofs.simulation.processes import ProcessLost, clone_here, migrate, play_here, play_in_parallel
from proofs.simulation.tape import Tape

if TYPE_CHECKING:
    from proofs.simulation.schedule import Result

SETTINGS = {
    "DEBUG": "false",
    "DEMO": "true",
    "INSTALLATION_NAMESPACE": "6f1c2f0a-5d1e-4a52-9c0b-6c1f7f2b9d11",
    "SECRET_KEY": "a secret for simulations, long enough to be accepted",
    **{f"{market.name}_URL": f"http://{market.value.replace('_', '-')}.test" for market in Market},
    "LOG_LEVEL": "CRITICAL",
    "ORDER_SENDS_BEFORE_ATTENTION": "4",
    "DOTENV": os.devnull,
    "DJANGO_SETTINGS_MODULE": "coruscant.settings",
}


def main() -> int:
    """Start PostgreSQL, play, report; the exit code is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m proofs.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many schedules (%(default)s)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (%(default)s)")
    parser.add_argument("--seed", type=int, help="play this seed only")
    parser.add_argument("--trace", action="store_true", help="print the trace of --seed")
    parser.add_argument("--tape", type=int, metavar="N", help="let Hypothesis draw N schedules, and shrink what fails")
    parser.add_argument("--replay-tape", type=Tape.parse, metavar="TAPE", help="play what --tape has printed")
    parser.add_argument("--processes", type=int, default=2, help="at a time (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".local/simulation"), help="data and logs (%(default)s)")
    options = parser.parse_args()
    try:
        with EmbeddedStack(folder=options.folder, durable=False) as stack:
            os.environ.update(SETTINGS | stack.owner_environment)
            migrate()
            if options.seed is not None:
                return _one(stack.superuser_database_url, options.seed, trace=options.trace)
            if options.tape is not None:
                return _search(stack.superuser_database_url, options.tape)
            if options.replay_tape is not None:
                return _replay(stack.superuser_database_url, options.replay_tape)
            seeds = range(options.first, options.first + options.seeds)
            return _many(stack.superuser_database_url, seeds, options.processes)
    except (EmbeddedStackError, ProcessLost) as error:
        print(error)
        return 2


def _one(url: str, seed: int, *, trace: bool) -> int:
    (result,) = play_here(url, [seed], "one")
    if trace:
        print("\n".join(result.trace))
    _print_result(result)
    return bool(result.violations)


def _search(url: str, examples: int) -> int:
    from proofs.simulation.shrinking import search  # noqa: PLC0415  (not before Django is set up)

    seed, began = random.SystemRandom().randrange(2**32), time.monotonic()
    with clone_here(url, "tape") as database:
        found = search(database, examples, seed=seed)
    print(f"Hypothesis drew up to {examples} tapes from {seed}, in {time.monotonic() - began:.0f} s")
    if found is None:
        print("no promise was broken")
        return 0
    tape, result = found
    print("\n".join(result.trace))
    _print_broken(result)
    print(f"  {len(tape.loud)} choices are not the quiet ones")
    print(f"  replay: python -m proofs.simulation --replay-tape '{tape}'", flush=True)
    return 1


def _replay(url: str, tape: Tape) -> int:
    from proofs.simulation.runner import play_tape, scheduler_on  # noqa: PLC0415  (not before Django is set up)

    with clone_here(url, "tape") as database, scheduler_on(database) as scheduler:
        result = play_tape(tape, database, scheduler)
    print("\n".join(result.trace))
    _print_broken(result)
    return bool(result.violations)


def _many(url: str, seeds: Sequence[int], processes: int) -> int:
    began = time.monotonic()
    broken = steps = claimed = faults = restored = 0
    for done, result in enumerate(play_in_parallel(url, seeds, processes), 1):
        steps, claimed, faults = steps + result.steps, claimed + result.claimed, faults + result.faults
        restored += result.restored
        if result.violations:
            broken += 1
            _print_result(result)
        if done % 100 == 0:
            print(f"{done} schedules, {broken} broken, {done / (time.monotonic() - began):.1f} a second", flush=True)
    seconds = time.monotonic() - began
    print(
        f"{len(seeds)} schedules in {seconds:.0f} s ({len(seeds) / seconds:.1f} a second), {steps:,} steps,"
        f" {faults:,} faults, {restored:,} restores, {claimed:,} liquidations: {broken} schedules broke a promise"
    )
    return bool(broken)


def _print_result(result: "Result") -> None:
    """Print a summary of a seed, and the command that prints its trace."""
    print(f"seed {result.seed}: {result.steps} steps, {result.faults} faults, {result.claimed} liquidations")
    _print_broken(result)
    if result.violations:
        print(f"  replay: python -m proofs.simulation --seed {result.seed} --trace", flush=True)


def _print_broken(result: "Result") -> None:
    for violation in result.violations:
        print(f"  BROKEN {violation}")


if __name__ == "__main__":
    sys.exit(main())
