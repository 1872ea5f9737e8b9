"""The real services under schedules that seeds decide."""

import pytest
from django.db import connections

from proofs.simulation.processes import play_in_parallel


@pytest.fixture
def play(stack, transactional_db):
    """Play seeds in processes of their own, as the command does, on clones of the tests' database."""
    template = f"{connections['default'].settings_dict['NAME']}_template"
    return lambda seeds, processes=2: play_in_parallel(
        stack.superuser_database_url, seeds, processes, template=template
    )


def described(result) -> str:
    """All that a person needs who was not there."""
    return "\n".join(
        [*result.trace, *result.violations, f"replay: python -m proofs.simulation --seed {result.seed} --trace"]
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize("schedules", [50, pytest.param(500, marks=pytest.mark.proof)])
def test_every_promise_holds_whatever_the_seed(play, schedules):
    claimed = 0
    for result in play(range(1, schedules + 1)):
        claimed += result.claimed
        assert not result.violations, described(result)
    assert claimed >= schedules / 4, "a simulation in which nothing happens proves nothing"


def test_the_same_seed_gives_the_same_trace_in_any_process(play, monkeypatch):
    traces = []
    for hash_seed, seeds in (("1", (11, 23, 42)), ("2", (42, 23, 11))):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        traces.append({result.seed: result.trace for result in play(seeds, processes=1)})
    assert traces[0] == traces[1]
    assert len(set(traces[0].values())) == 3
