"""Where an evaluation begins, by example."""

from pricing import window_start
from pricing.guard import DEFAULT
from pricing.tests.builders import BLACK_SPIRE, FRESHNESS, MOS_ESPA, at, courses, quote


def test_a_window_starts_at_the_earliest_unevaluated_quote():
    old, new, newer = quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 20, "50"), quote(BLACK_SPIRE, 10, "50")
    assert window_start.window_start(courses([old, new, newer]), [new, newer], FRESHNESS) == at(10)


def test_a_window_starts_at_the_expiry_before_a_late_successor():
    old, new = quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 75, "50")
    ignored = quote(MOS_ESPA, 30, "50", time=-1)
    assert window_start.window_start(courses([old, ignored, new]), [new], FRESHNESS) == at(60)


def test_a_window_starts_at_an_expiry_since_the_last_evaluation():
    expired, new = quote(MOS_ESPA, 0, "50"), quote(BLACK_SPIRE, 65, "50")
    assert window_start.window_start(courses([expired, new]), [new], FRESHNESS) == at(65)
    assert window_start.window_start(courses([expired, new]), [new], FRESHNESS, evaluated_to=at(59)) == at(60)
    assert window_start.window_start(courses([expired, new]), [new], FRESHNESS, evaluated_to=at(60)) == at(65)


def test_a_window_starts_at_a_jump_that_an_unevaluated_quote_confirms_or_replaces():
    old, jump, new = quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 5, "20"), quote(MOS_ESPA, 9, "50")
    assert window_start.window_start(courses([old, jump, new], (DEFAULT,)), [new], FRESHNESS) == at(5)
    confirming = quote(BLACK_SPIRE, 8, "21")
    assert window_start.window_start(courses([old, jump, confirming], (DEFAULT,)), [confirming], FRESHNESS) == at(5)


def test_a_jump_that_has_expired_since_opens_a_window_once():
    found = courses([quote(MOS_ESPA, 0, "50"), quote(MOS_ESPA, 5, "20")], (DEFAULT,))
    for since, until, instants in ((60, 64, []), (60, 65, [at(5)]), (65, 70, [])):
        assert window_start.no_longer_pending(found, FRESHNESS, since=at(since), until=at(until)) == instants
    assert window_start.no_longer_pending(found, FRESHNESS, since=None, until=at(65)) == [at(5)]
