"""The same checks under Hypothesis: bodies of the right shape, shrunk to the smallest that breaks a promise."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from pricing.markets import Market
from proofs.fuzzing import feed_messages, venue_answers
from proofs.fuzzing.statuses import STATUSES
from proofs.fuzzing.strategies import answers, events

#: No input of at most 64 KiB may take longer to read, on a machine that does other things as well.
LONGEST_SECONDS = 2.0


def feed(market: Market, inputs: int, number: int = 1) -> Counter[str]:
    """Check so many messages of a feed; returns their counts. Raises what a check raises, with the smallest input."""
    counts: Counter[str] = Counter()

    def checked(body: str, basis: Any) -> None:
        counts[_timed(lambda: feed_messages.check(market, body, basis))] += 1

    _play(given(events(market), st.sampled_from(["unit", "total"]))(checked), inputs, number)
    return counts


def venue(market: Market, inputs: int, number: int = 1) -> Counter[str]:
    """Check so many answers of a market; returns what they were taken for. Raises what a check raises."""
    counts: Counter[str] = Counter()

    def checked(body: bytes, status: int) -> None:
        counts[_timed(lambda: venue_answers.check(market, status, body))] += 1

    _play(given(answers(market), st.sampled_from(STATUSES))(checked), inputs, number)
    return counts


def _play(test: Callable[[], None], inputs: int, number: int) -> None:
    quiet = settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    seed(number)(quiet(test))()


def _timed(check: Callable[[], str]) -> str:
    began = time.perf_counter()
    outcome = check()
    took = time.perf_counter() - began
    if took > LONGEST_SECONDS:
        raise AssertionError(f"one input took {took:.1f} s")
    return outcome
