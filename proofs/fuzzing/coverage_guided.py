"""`python -m proofs.fuzzing.coverage_guided TARGET FIGURES [libFuzzer options] CORPUS`: one parser, alone.

Atheris changes bytes where that reaches code not reached before. The process dies with the input that broke a
promise, or took too long or too much memory; else it writes how many inputs met which outcome.
"""

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["pricing", "liquidation", "coruscant"]):
    from pricing.markets import Market
    from proofs.fuzzing import feed_messages, venue_answers
    from proofs.fuzzing.json_mutator import mutate
    from proofs.fuzzing.statuses import STATUSES


class Target:
    """One market's feed or order answers; the first byte of an input decides the price basis or the HTTP status."""

    def __init__(self, kind: str, market: Market, figures: Path) -> None:
        """Begin to count; `figures` is written as the count goes on."""
        self._kind = kind
        self._market = market
        self._figures = figures
        self._outcomes: Counter[str] = Counter()

    def __call__(self, data: bytes) -> None:
        """Check one input."""
        first, body = (data[0], data[1:]) if data else (0, b"")
        if self._kind == "feed":
            text = body.decode("utf-8", "surrogateescape")
            self._outcomes[feed_messages.check(self._market, text, "total" if first % 2 else "unit")] += 1
        else:
            self._outcomes[venue_answers.check(self._market, STATUSES[first % len(STATUSES)], body)] += 1

    def write(self) -> None:
        """Write the count so far."""
        self._figures.write_text(json.dumps(self._outcomes))


def change(data: bytes, longest: int, seed: int) -> bytes:
    """Two inputs of three stay JSON; the others are libFuzzer's to break."""
    random = Random(seed)
    if random.randrange(3) == 0 or len(data) < 2:
        return bytes(atheris.Mutate(data, longest))
    first = random.randrange(256) if random.randrange(4) == 0 else data[0]
    return (bytes([first]) + mutate(data[1:], random))[:longest]


def main() -> None:
    """Fuzz until libFuzzer's `-atheris_runs` are done."""
    name, figures, *options = sys.argv[1:]
    kind, _, market = name.partition(":")
    target = Target(kind, Market(market), Path(figures))
    atheris.Setup([sys.argv[0], *options], target, custom_mutator=change)
    try:
        atheris.Fuzz()
    finally:
        # libFuzzer's alarm may come once more when it is handled no longer.
        signal.setitimer(signal.ITIMER_REAL, 0)
        target.write()


if __name__ == "__main__":
    main()
