"""Periods that touch or overlap cover one time."""

from liquidation.reconciliation.periods import gaps_beside, merged


def test_periods_that_touch_or_overlap_become_one():
    assert merged([(5, 7), (1, 3), (3, 4), (6, 9)]) == [(1, 4), (5, 9)]
    assert merged([(1, 9), (2, 3)]) == [(1, 9)]
    assert merged([]) == []


def test_the_gaps_beside_a_period_are_those_that_end_or_begin_with_it():
    periods = [(1, 2), (4, 7), (9, 9), (12, 13)]
    assert gaps_beside((1, 2), periods) == [(2, 4)]
    assert gaps_beside((5, 6), periods) == [(2, 4), (7, 9)]
    assert gaps_beside((9, 9), periods) == [(7, 9), (9, 12)]
    assert gaps_beside((1, 2), [(1, 2)]) == []
