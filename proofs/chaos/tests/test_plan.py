"""Which faults are played, and when."""

import pytest

from proofs.chaos.faults import FAULTS
from proofs.chaos.plan import Kind, make_plan, total

KINDS = [
    Kind(fault.name, fault.lasts_seconds, fault.touches) for fault in FAULTS.values() if not fault.changes_the_bank
]
BY_NAME = {kind.name: kind for kind in KINDS}


def test_same_seed_gives_the_same_plan_and_another_seed_another():
    assert make_plan(KINDS, 300, 7) == make_plan(KINDS, 300, 7)
    assert make_plan(KINDS, 300, 7) != make_plan(KINDS, 300, 8)


@pytest.mark.parametrize("seed", range(20))
def test_in_300_seconds_every_fault_is_played_alone_or_in_a_pair(seed):
    plan = make_plan(KINDS, 300, seed)
    assert {name for played in plan for name in played} == set(BY_NAME)
    assert total(plan, BY_NAME) <= 300
    assert sum(len(played) == 1 for played in plan) >= 8
    assert sum(len(played) == 2 for played in plan) >= 4


@pytest.mark.parametrize("seed", range(20))
def test_with_time_every_fault_is_played_alone_once_and_then_pairs_follow(seed):
    plan = make_plan(KINDS, 1200, seed)
    alone = plan[: len(KINDS)]
    assert sorted(name for played in alone for name in played) == sorted(BY_NAME)
    assert all(len(played) == 2 for played in plan[len(KINDS) :])
    assert len(plan) > len(KINDS) + 10


def test_no_pair_touches_the_same_thing():
    for seed in range(50):
        for first, *rest in make_plan(KINDS, 600, seed):
            assert all(not BY_NAME[first].touches & BY_NAME[other].touches for other in rest)


def test_with_little_time_few_faults_are_played_and_at_least_one():
    assert len(make_plan(KINDS, 1, 7)) == 1
    assert 1 <= len(make_plan(KINDS, 40, 7)) <= 5


def test_a_choice_of_one_is_played_once_since_it_pairs_with_nobody():
    assert make_plan([BY_NAME["web-killed"]], 60, 7) == [("web-killed",)]


def test_a_choice_of_two_is_played_alone_and_together():
    plan = make_plan([BY_NAME["web-killed"], BY_NAME["beat-killed"]], 40, 7)
    assert {frozenset(played) for played in plan} == {
        frozenset({"web-killed"}),
        frozenset({"beat-killed"}),
        frozenset({"web-killed", "beat-killed"}),
    }


def test_what_changes_the_whole_bank_comes_once_after_all_others_and_alone():
    whole = [Kind("restored", 60, frozenset({"bank"}), changes_the_bank=True)]
    plan = make_plan([*whole, *KINDS], 300, 7)
    assert plan == [*make_plan(KINDS, 300, 7), ("restored",)]
    assert make_plan(whole, 300, 7) == [("restored",)]


def test_every_fault_has_a_name_of_its_own_and_says_what_it_is():
    assert all(fault.name == name and fault.what and fault.touches for name, fault in FAULTS.items())
    assert len(KINDS) == 25
    assert list(FAULTS)[25:] == ["beat-frozen", "standby-promoted", "database-restored"]
