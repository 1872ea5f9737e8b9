"""Hypothesis draws tapes, and shrinks one that breaks a promise to the few choices that it takes."""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from proofs.simulation.database import SimulationDatabase
from proofs.simulation.runner import play_tape, scheduler_on
from proofs.simulation.schedule import Result
from proofs.simulation.tape import WAYS, Tape

#: The first so many decisions prepare a schedule, each of a few ways; it makes some hundreds.
_FIRST = 6
_DECISIONS = 512
_LOUD_AT_MOST = 12


class PromiseBroken(AssertionError):
    """A tape broke a promise; which, the result says."""


def tapes() -> "st.SearchStrategy[Tape]":
    """A dense beginning, which prepares the schedule, then quiet but for a few loud entries. Shrinks towards quiet."""
    first = st.lists(st.integers(0, 7), min_size=_FIRST, max_size=_FIRST)
    loud = st.dictionaries(st.integers(_FIRST, _DECISIONS - 1), st.integers(1, WAYS - 1), max_size=_LOUD_AT_MOST)
    return st.builds(lambda dense, sparse: Tape.of([*enumerate(dense), *sorted(sparse.items())]), first, loud)


def search(database: SimulationDatabase, examples: int, *, seed: int | None = None) -> tuple[Tape, Result] | None:
    """Play so many tapes; the shortest found that breaks a promise, with what it led to, or None.

    With `seed` None Hypothesis draws the same tapes every time.
    """
    broken: list[tuple[Tape, Result]] = []
    with scheduler_on(database) as scheduler:

        def holds(tape: Tape) -> None:
            result = play_tape(tape, database, scheduler)
            if result.violations:
                broken.append((tape, result))
                raise PromiseBroken(result.violations[0])

        try:
            _search(holds, examples, seed)
        except PromiseBroken:
            return broken[-1]  # Hypothesis ends with the simplest one
    return None


def _search(holds: Callable[[Tape], None], examples: int, seed: int | None) -> None:
    from hypothesis import seed as seeded  # noqa: PLC0415  (another name for it)

    search = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=seed is None,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )(given(tapes())(holds))
    (search if seed is None else seeded(seed)(search))()
