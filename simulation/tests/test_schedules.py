"""The real services under schedules that seeds decide."""

import pytest

from simulation.runner import play

pytestmark = pytest.mark.django_db(transaction=True)

SCHEDULES = 60


def test_every_promise_holds_whatever_the_seed(database):
    broken = {}
    claimed = 0
    for result in play(range(1, SCHEDULES + 1), database):
        claimed += result.claimed
        if result.violations:
            broken[result.seed] = result.violations
    assert not broken, f"replay with `python -m simulation --seed {min(broken)} --trace`: {broken}"
    assert claimed >= SCHEDULES / 4, "a simulation in which nothing happens proves nothing"


def test_the_same_seed_gives_the_same_trace(database):
    seeds = (11, 23, 42)
    first = list(play(seeds, database))
    again = list(play(reversed(seeds), database))
    assert [result.trace for result in first] == [result.trace for result in reversed(again)]
    assert len({result.trace for result in first}) == len(seeds)
