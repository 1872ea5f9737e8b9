"""Actions are known by their names."""

from dataclasses import replace

import pytest

from coruscant.approvals import actions
from coruscant.approvals.tests.support import CHANGE_BORROWER, NAME


def test_an_action_is_found_by_its_name():
    assert actions.named(NAME) is CHANGE_BORROWER
    assert actions.title_of(NAME) == "Change the borrower"


def test_registering_the_same_action_again_changes_nothing():
    actions.register(CHANGE_BORROWER)
    assert actions.named(NAME) is CHANGE_BORROWER


def test_a_name_belongs_to_one_action():
    with pytest.raises(ValueError, match=NAME):
        actions.register(replace(CHANGE_BORROWER, title="Another"))
    assert actions.named(NAME) is CHANGE_BORROWER


def test_an_unknown_action_is_told_which_there_are():
    with pytest.raises(actions.UnknownAction, match=NAME):
        actions.named("tests.nothing")
    assert actions.title_of("tests.nothing") == "tests.nothing"
