"""`python -m proofs.fuzzing`: attack the API, the feeds and the readers of market answers, and say what was found."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.stack import EmbeddedStack, EmbeddedStackError
from pricing.markets import Market

SETTINGS = {
    "DEBUG": "false",
    "DEMO": "true",
    "INSTALLATION_NAMESPACE": "6f1c2f0a-5d1e-4a52-9c0b-6c1f7f2b9d11",
    "SECRET_KEY": "a secret for attacks, long enough to be accepted",
    **{f"{market.name}_URL": f"http://{market.value.replace('_', '-')}.test" for market in Market},
    "LOG_LEVEL": "CRITICAL",
    "DOTENV": os.devnull,
    "DJANGO_SETTINGS_MODULE": "coruscant.settings",
}
PARTS = ("contract", "bodies", "races", "parsers")
_TEMPLATE, _DATABASE = "coruscant", "fuzzing"


def main() -> int:
    """Run the parts asked for; the exit code is 1 if one of them found something."""
    parser = argparse.ArgumentParser(prog="python -m proofs.fuzzing", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)} (all)")
    parser.add_argument("--cases", type=int, default=5_000, help="of schemathesis, at least (%(default)s)")
    parser.add_argument("--examples", type=int, default=300, help="per operation, phase and seed (%(default)s)")
    parser.add_argument("--bodies", type=int, default=10_000, help="mutated bodies, both posts together (%(default)s)")
    parser.add_argument("--threads", type=int, default=50, help="clients at once (%(default)s)")
    parser.add_argument("--rounds", type=int, default=200, help="rounds of all contests (%(default)s)")
    parser.add_argument("--inputs", type=int, default=60_000, help="by coverage, each of 4 parsers (%(default)s)")
    parser.add_argument("--structured", type=int, default=2_500, help="by structure, each of 4 parsers (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".local/fuzzing"), help="data, logs, corpus (%(default)s)")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    try:
        with EmbeddedStack(folder=options.folder, durable=False) as stack:
            os.environ.update(SETTINGS | stack.owner_environment)
            return run(stack, options, options.parts or PARTS)
    except EmbeddedStackError as error:
        print(error)
        return 2


def run(stack: EmbeddedStack, options: argparse.Namespace, parts: Sequence[str]) -> int:
    """Run the parts, each on a database of its own."""
    from proofs.simulation.processes import migrate  # noqa: PLC0415  (not before the environment is there)

    migrate()
    attacks: dict[str, Callable[[EmbeddedStack, argparse.Namespace], list[str]]] = {
        "contract": _contract,
        "bodies": _bodies,
        "races": _races,
        "parsers": _parsers,
    }
    found = 0
    for part in parts:
        began = time.monotonic()
        findings = attacks[part](stack, options)
        print(f"  {time.monotonic() - began:.0f} s, {len(findings)} findings", flush=True)
        for finding in findings[:20]:
            print(f"  FOUND {finding}", flush=True)
        found += len(findings)
    print("Everything holds." if not found else f"{found} findings.")
    return bool(found)


def _contract(stack: EmbeddedStack, options: argparse.Namespace) -> list[str]:
    from proofs.fuzzing import contract, example_loans  # noqa: PLC0415
    from proofs.fuzzing.service import serving  # noqa: PLC0415

    with _database(stack):
        example_loans.prepare()
        with serving(stack) as service:
            report = contract.run_until(service, cases=options.cases, examples=options.examples, seed=options.seed)
            failures = service.failures()
    phases = ", ".join(f"{name} {status}" for name, status in report.phases.items())
    print(f"contract: {report.cases:,} cases of schemathesis ({phases})")
    if report.findings:
        print(report.output)
    return [*report.findings, *(f"logged: {line}" for line in failures)]


def _bodies(stack: EmbeddedStack, options: argparse.Namespace) -> list[str]:
    from proofs.fuzzing import example_loans, raw_bodies  # noqa: PLC0415
    from proofs.fuzzing.service import serving  # noqa: PLC0415

    with _database(stack):
        example_loans.prepare()
        with serving(stack) as service:
            report = raw_bodies.run(service, mutations=options.bodies, seed=options.seed)
    print(f"bodies: {report.requests:,} requests, answered {_counted(report.statuses)};", end=" ")
    print(f"{report.resets} answers lost in a reset")
    return report.findings


def _races(stack: EmbeddedStack, options: argparse.Namespace) -> list[str]:
    from proofs.fuzzing import races  # noqa: PLC0415
    from proofs.fuzzing.service import serving  # noqa: PLC0415

    with _database(stack), serving(stack, threads=25) as service:
        report = races.run(service, threads=options.threads, rounds=options.rounds)
    contests = options.rounds * len(races.CONTESTS)
    print(f"races: {contests:,} contests of {options.threads} threads, {report.requests:,} requests,", end=" ")
    print(f"answered {_counted(report.statuses)}")
    return report.findings


def _parsers(_stack: EmbeddedStack, options: argparse.Namespace) -> list[str]:
    from proofs.fuzzing import parsers  # noqa: PLC0415

    findings, total = [], 0
    corpus = options.folder.absolute() / "corpus"
    guided = parsers.all_by_coverage(inputs=options.inputs, folder=corpus, seed=options.seed)
    shaped = [parsers.by_structure(*target, inputs=options.structured, seed=options.seed) for target in parsers.TARGETS]
    for how, reports in (("coverage", guided), ("structure", shaped)):
        for report in reports:
            print(f"parsers: {report.target} by {how}: {report.inputs:,} inputs: {_counted(report.counts)}")
            findings += [f"{report.target} by {how}: {report.finding}"] if report.finding else []
            total += report.inputs
    print(f"parsers: {total:,} inputs accounted for")
    return findings


def _counted(counter: Mapping[Any, int]) -> str:
    return ", ".join(f"{key} {count:,}" for key, count in sorted(counter.items(), key=str))


@contextmanager
def _database(stack: EmbeddedStack) -> Iterator[None]:
    from proofs.simulation.database import clone  # noqa: PLC0415

    with clone(stack.superuser_database_url, _TEMPLATE, _DATABASE):
        yield


if __name__ == "__main__":
    sys.exit(main())
