"""Old quotes are removed; unevaluated and newest ones stay."""

from datetime import timedelta

import pytest
from django.db import connection

from coruscant import clock, locks
from pricing import tasks
from pricing.ingest import prune
from pricing.models import Feed, PriceQuote
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at
from pricing.tests.rows import quote_row

pytestmark = pytest.mark.django_db
DAY = 86_400


@pytest.fixture(autouse=True)
def a_month_later():
    with clock.driven_by(lambda: at(0) + timedelta(days=31)):
        yield


def remaining():
    return set(PriceQuote.objects.values_list("message_id", flat=True))


def test_only_old_evaluated_quotes_that_are_not_the_newest_are_removed():
    evaluated = {"evaluated_at": at(0)}
    for sent in range(5):
        quote_row(MOS_ESPA, sent, "50", message_id=f"old-{sent}", **evaluated)
    quote_row(MOS_ESPA, 5, "50", message_id="unevaluated")
    quote_row(MOS_ESPA, DAY, "50", message_id="at the horizon", **evaluated)
    quote_row(MOS_ESPA, 2 * DAY, "50", message_id="young", **evaluated)
    quote_row(BLACK_SPIRE, -DAY, "50", message_id="older", **evaluated)
    quote_row(BLACK_SPIRE, -50, "50", message_id="before the newest", **evaluated)
    quote_row(BLACK_SPIRE, 0, "50", message_id="newest", **evaluated)
    Feed.objects.create(market=MOS_ESPA, pruned=1)
    assert prune.prune(batch=2) == 6
    assert remaining() == {"unevaluated", "at the horizon", "young", "before the newest", "newest"}
    assert Feed.objects.get(market=MOS_ESPA).pruned == 6


def test_a_run_is_bounded_and_the_next_goes_on():
    for sent in range(5):
        quote_row(MOS_ESPA, sent, "50", evaluated_at=at(0))
    quote_row(MOS_ESPA, 2 * DAY, "50", evaluated_at=at(0))
    assert prune.prune(batch=2, max_batches=1) == 2
    assert prune.prune(batch=2, max_batches=1) == 2
    tasks.prune_quotes()
    assert PriceQuote.objects.count() == 1


@pytest.mark.parametrize(("hours", "overdue"), [(24, True), (22, False)])
def test_what_a_lost_run_has_left_is_overdue(hours, overdue):
    quote_row(MOS_ESPA, -hours * 3600, "50", evaluated_at=at(0))
    assert not prune.overdue(), "a market's newest quote stays"
    quote_row(MOS_ESPA, 2 * DAY, "50", evaluated_at=at(0))
    with clock.driven_by(lambda: at(0) + timedelta(days=30, hours=2)):
        assert prune.overdue() == overdue
        prune.prune()
        assert not prune.overdue()


def test_unevaluated_quotes_are_never_overdue():
    quote_row(MOS_ESPA, -DAY, "50")
    quote_row(MOS_ESPA, 2 * DAY, "50", evaluated_at=at(0))
    assert not prune.overdue()


def test_a_run_while_another_is_at_work_removes_nothing():
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(0))
    quote_row(MOS_ESPA, 2 * DAY, "50", evaluated_at=at(0))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [locks.PRUNING])
            assert prune.prune() == 0
            cursor.execute("SELECT pg_advisory_unlock(%s)", [locks.PRUNING])
    finally:
        other.close()
    assert prune.prune() == 1


def test_the_quote_that_later_ones_are_judged_against_stays():
    """Since then the market has sent jumps only, and none was confirmed."""
    quote_row(MOS_ESPA, -10, "50", message_id="before", evaluated_at=at(0), effective_from=at(-10))
    quote_row(MOS_ESPA, 0, "50", message_id="effective", evaluated_at=at(0), effective_from=at(0))
    quote_row(MOS_ESPA, 2 * DAY, "5000", message_id="jump", evaluated_at=at(2 * DAY))
    prune.prune()
    assert remaining() == {"effective", "jump"}
