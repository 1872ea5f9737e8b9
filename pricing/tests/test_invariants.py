"""I14 of the guard over prices notices what it is there to notice."""

import pytest

from coruscant import clock
from coruscant.approvals.ask import ask
from coruscant.approvals.decide import agree
from coruscant.approvals.tests.support import log_in, representative
from liquidation import invariants
from pricing.models import PriceGuard
from pricing.two_people import CHANGE

pytestmark = pytest.mark.django_db

WATCH = {"mode": "watch", "jump": "0.45", "agreement": "0.10", "dispute": "0.25"}


@pytest.fixture
def change():
    """Two people change the guard."""
    ahsoka, mace = representative("ahsoka"), representative("mace")

    def change(**settings):
        approval = ask(CHANGE, WATCH | settings, why="as decided", asked_by=ahsoka)
        return agree(approval.pk, request=log_in(mace))

    return change


def broken():
    (found,) = [finding for finding in invariants.check() if finding.invariant.name == "I14f"]
    return sorted(found.examples)


def test_changes_that_two_people_agreed_to_are_fine_the_same_settings_again_included(change):
    assert broken() == []
    for mode in ("watch", "off", "watch"):
        change(mode=mode)
    assert PriceGuard.objects.count() == 4
    assert broken() == []


@pytest.mark.parametrize(
    "otherwise", [{}, {"mode": "off"}, {"jump": "0.9"}, {"agreement": "0.2"}, {"dispute": "0.9"}, {"changed_by": "r2"}]
)
def test_a_guard_that_nobody_agreed_to_is_noticed(change, otherwise):
    """Here it is written past the approvals, after one with these settings or with others."""
    change()
    made = PriceGuard.objects.create(
        **{**WATCH, "changed_by": "ahsoka and mace", "holds_from": clock.now()} | otherwise
    )
    assert broken() == [f"{made.mode} by {made.changed_by} not approved"]


def test_a_change_that_was_agreed_to_and_not_made_is_noticed(change, monkeypatch):
    monkeypatch.setattr(PriceGuard.objects, "create", PriceGuard)
    assert change().outcome == "executed"
    assert broken() == ["watch by ahsoka and mace not changed"]
