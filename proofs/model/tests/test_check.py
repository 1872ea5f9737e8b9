"""The model holds with all its rules, and with no rule less."""

import subprocess
import sys
from dataclasses import replace

import pytest

from proofs.model import check as checking
from proofs.model.__main__ import KINDS, SMALL, left_out, main, whole
from proofs.model.check import TooManyStates, beginning, check
from proofs.model.promises import DAMAGE, Promise, broken_by
from proofs.model.rules import WHOLE, Assumptions, Model, Rules, sentences, without
from proofs.model.steps import steps

#: Where a missing rule shows within a second or two.
SOON = ("fence", "committed_first", "sends_counted", "never_sent", "unknown_stays", "ids_name_market", "hold", "doubt")


def test_all_rules_together_break_no_promise_and_leave_no_dead_end():
    found = whole(SMALL)
    assert found.holds, "\n".join(found.lines())
    assert found.states > 3000


@pytest.mark.proof
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kinds", KINDS)
def test_they_do_so_within_the_whole_bounds_at_markets_of_each_kind(kinds):
    found = whole(replace(WHOLE, remembers=kinds))
    assert found.holds, "\n".join(found.lines())


@pytest.mark.parametrize("rule", SOON)
def test_without_a_rule_a_promise_is_broken(rule):
    assert left_out(rule).broken


@pytest.mark.proof
@pytest.mark.parametrize("rule", sentences(Rules))
def test_without_any_one_rule_a_promise_is_broken(rule):
    found = left_out(rule)
    assert found.broken, f"{rule} is not needed"


@pytest.mark.proof
@pytest.mark.parametrize("assumption", sentences(Assumptions))
def test_with_all_rules_every_assumption_is_still_needed(assumption):
    assert left_out(assumption).broken is Promise.SOLD_ONCE


@pytest.mark.parametrize("rule", ["fence", "hold"])
def test_a_counterexample_is_a_run_whose_last_step_breaks_the_promise(rule):
    found = left_out(rule)
    model, state = found.model, beginning(found.model)
    for number, step in enumerate(found.trace, 1):
        after = dict(steps(model, state))[step]
        assert (broken_by(model, state, step, after) in DAMAGE) == (number == len(found.trace))
        state = after
    assert state == found.last


def test_a_counterexample_is_told_step_by_step(capsys):
    assert main(["--without", "unknown_stays"]) == 0
    *told, broken = capsys.readouterr().out.splitlines()
    assert told == [
        "  1. the loan is claimed",
        "  2. worker 1 takes the sale and commits order 1 of market A, for 2",
        "  3. worker 2 takes the sale and commits order 2 of market A, for 2",
        "  4. worker 2's request leaves",
        "  5. a request for order 1 arrives at market A, which trades 1",
        "  6. a request for order 2 arrives at market A, which trades 2",
    ]
    assert broken.strip() == f"BROKEN: {Promise.SOLD_ONCE}"


def test_the_earlier_promise_is_broken_before_the_damage_is_done():
    rules, assumptions = without("unknown_stays")
    found = check(Model(rules, assumptions, SMALL))
    assert found.broken is Promise.ONE_ORDER


def test_a_dead_end_is_found(monkeypatch):
    monkeypatch.setattr(checking, "is_an_end", lambda model, state: state.books.sale == "active")
    found = check(Model(bounds=replace(SMALL, restore=False)))
    assert found.dead_end
    assert [step[0] for step in found.trace] == ["claim"]
    assert "DEAD END" in found.lines()[-1]


def test_a_check_of_too_many_states_ends():
    with pytest.raises(TooManyStates):
        check(Model(bounds=SMALL), at_most=100)


def test_the_model_knows_nothing_of_django_nor_of_the_service():
    modules = "__main__ aftermath check market merge promises replay rules sale state steps"
    loads = "; ".join(f"import proofs.model.{name}" for name in modules.split())
    asks = "import sys; print(*{name.partition('.')[0] for name in sys.modules} & {'django', 'liquidation', 'pricing'})"
    found = subprocess.run([sys.executable, "-c", f"{loads}; {asks}"], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == ""
