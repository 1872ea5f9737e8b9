"""Old quotes go; unevaluated and newest ones stay."""

from datetime import timedelta

import pytest
from django.db import connection

from coruscant import clock
from pricing import tasks
from pricing.ingest import prune
from pricing.models import Feed, PriceQuote
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at
from pricing.tests.test_best_price import row

pytestmark = pytest.mark.django_db
DAY = 86_400


@pytest.fixture(autouse=True)
def a_month_later():
    with clock.driven_by(lambda: at(0) + timedelta(days=31)):
        yield


def left():
    return set(PriceQuote.objects.values_list("message_id", flat=True))


def test_only_old_swept_quotes_that_are_not_the_newest_go():
    swept = {"evaluated_at": at(0)}
    for sent in range(5):
        row(MOS_ESPA, sent, "50", message_id=f"old-{sent}", **swept)
    row(MOS_ESPA, 5, "50", message_id="unevaluated")
    row(MOS_ESPA, DAY, "50", message_id="at the horizon", **swept)
    row(MOS_ESPA, 2 * DAY, "50", message_id="young", **swept)
    row(BLACK_SPIRE, -DAY, "50", message_id="older", **swept)
    row(BLACK_SPIRE, -50, "50", message_id="before the newest", **swept)
    row(BLACK_SPIRE, 0, "50", message_id="newest", **swept)
    Feed.objects.create(market=MOS_ESPA, pruned=1)
    assert prune.prune(batch=2) == 6
    assert left() == {"unevaluated", "at the horizon", "young", "before the newest", "newest"}
    assert Feed.objects.get(market=MOS_ESPA).pruned == 6


def test_a_run_is_bounded_and_the_next_goes_on():
    for sent in range(5):
        row(MOS_ESPA, sent, "50", evaluated_at=at(0))
    row(MOS_ESPA, 2 * DAY, "50", evaluated_at=at(0))
    assert prune.prune(batch=2, max_batches=1) == 2
    assert prune.prune(batch=2, max_batches=1) == 2
    tasks.prune_quotes()
    assert PriceQuote.objects.count() == 1


@pytest.mark.parametrize(("hours", "overdue"), [(24, True), (22, False)])
def test_what_a_night_has_left_is_overdue(hours, overdue):
    row(MOS_ESPA, -hours * 3600, "50", evaluated_at=at(0))
    assert not prune.overdue(), "a market's newest quote stays"
    row(MOS_ESPA, 2 * DAY, "50", evaluated_at=at(0))
    with clock.driven_by(lambda: at(0) + timedelta(days=30, hours=2)):
        assert prune.overdue() == overdue
        prune.prune()
        assert not prune.overdue()


def test_what_nobody_has_swept_is_never_overdue():
    row(MOS_ESPA, -DAY, "50")
    row(MOS_ESPA, 2 * DAY, "50", evaluated_at=at(0))
    assert not prune.overdue()


def test_a_run_beside_another_leaves_the_rest_to_it():
    row(MOS_ESPA, 0, "50", evaluated_at=at(0))
    row(MOS_ESPA, 2 * DAY, "50", evaluated_at=at(0))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [prune._LOCK])
        assert prune.prune() == 0
    finally:
        other.close()
    assert prune.prune() == 1
