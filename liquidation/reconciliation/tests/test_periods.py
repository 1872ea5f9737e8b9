"""Periods that touch or overlap cover one time."""

from liquidation.reconciliation.periods import merged


def test_periods_that_touch_or_overlap_become_one():
    assert merged([(5, 7), (1, 3), (3, 4), (6, 9)]) == [(1, 4), (5, 9)]
    assert merged([(1, 9), (2, 3)]) == [(1, 9)]
    assert merged([]) == []
