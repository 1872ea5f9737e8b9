"""The best price now: from the cache, without it, and when nobody knows."""

from datetime import timedelta
from decimal import Decimal

import pytest
import structlog
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coruscant import clock
from pricing import best_price
from pricing.models import Feed, PriceQuote
from pricing.quotes import Level
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, T0, at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def time():
    """A clock at T0 that the test moves: `time[0] = at(5)`."""
    instant = [T0]
    with clock.driven_by(lambda: instant[0]):
        yield instant


def row(market, sent, price, **fields):
    return PriceQuote.objects.create(
        **{
            "market": market, "message_id": f"{market}{sent}", "market_time": Decimal(str(sent)), "sent_at": at(sent),
            "received_at": at(sent), "sell": [["1", price], ["10", price]], "buy": [], **fields,
        }
    )  # fmt: skip


def drain(to, *markets):
    for market in markets or (MOS_ESPA, BLACK_SPIRE):
        Feed.objects.update_or_create(market=market, defaults={"drained_to": at(to)})


def events(logs):
    return [log["event"] for log in logs]


def test_nothing_known_is_unknown(time):
    assert (best_price.current().price, best_price.refresh().quotes, best_price.snapshot().curves(clock.now())) == (
        None,
        (),
        {},
    )


def test_the_best_live_quote_is_the_price(time):
    row(MOS_ESPA, -10, "50")
    best = row(BLACK_SPIRE, -20, "55.5")
    point = best_price.current()
    assert (point.at, point.price, point.quotes[0].id) == (at(-10), Decimal("55.5"), best.pk), "where it began"
    assert point == best_price.refresh()


def test_something_else_is_read_in_the_same_look(time, django_assert_num_queries):
    for quotes in range(3):
        with django_assert_num_queries(1):
            found = best_price.current_beside("SELECT %(one)s::int AS id, 'two' AS market", {"one": quotes})
        assert found == (best_price.refresh(), (quotes, "two"))
        row((MOS_ESPA, BLACK_SPIRE)[quotes % 2], quotes, "50")


def test_the_cache_answers_without_looking_for_quotes(time):
    row(MOS_ESPA, -10, "50")
    first = best_price.refresh()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert best_price.current() == first
        assert best_price.snapshot().curves(clock.now())[MOS_ESPA].fresh
    assert len(queries) == 0


def test_a_cached_price_dies_of_age_all_the_same(time):
    row(MOS_ESPA, -10, "50")
    drain(60)
    best_price.refresh()
    time[0] = at(49.999)
    assert best_price.current().price == Decimal(50)
    time[0] = at(50)
    assert best_price.current().price is None


def test_the_cache_may_be_emptied_at_any_moment(time):
    row(MOS_ESPA, -10, "50")
    best_price.refresh()
    cache.clear()
    assert best_price.current().price == Decimal(50)


def test_a_cache_that_is_down_costs_only_the_cache(time, settings):
    row(MOS_ESPA, -10, "50")
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    with structlog.testing.capture_logs() as logs:
        assert best_price.current().price == Decimal(50)
        assert best_price.refresh().price == Decimal(50)
        assert best_price.snapshot().curves(clock.now())[MOS_ESPA].levels == (
            Level(Decimal(1), Decimal(50)),
            Level(Decimal(10), Decimal(50)),
        )
    assert "price_cache_down" in events(logs)


def test_becoming_unknown_is_told_once_and_so_is_its_end(time):
    with structlog.testing.capture_logs() as logs:
        best_price.refresh()
        best_price.refresh()
        best_price.current()
        row(MOS_ESPA, 0, "50")
        best_price.refresh()
        best_price.refresh()
    assert events(logs) == ["price_unknown", "price_state_over"]


def test_a_reader_tells_it_when_all_pollers_are_gone(time):
    row(MOS_ESPA, 0, "50")
    drain(60)
    best_price.refresh()
    time[0] = at(60)
    with structlog.testing.capture_logs() as logs:
        assert best_price.current().price is None
        assert best_price.current().price is None
    assert events(logs) == ["price_unknown"]


def test_our_own_lag_is_no_silent_market_and_it_is_loud(time):
    row(MOS_ESPA, 0, "50")
    drain(59)
    seen = []
    with structlog.testing.capture_logs() as logs:
        for second in (59, 60, 61, 119, 120, 121):
            time[0] = at(second)
            seen.append(best_price.refresh().price)
    assert seen == [Decimal(50)] * 4 + [None] * 2
    assert events(logs) == ["lagging_feed_held", "price_unknown", "price_state_over", "lagging_feed_given_up"]
    assert [log["log_level"] for log in logs] == ["warning", "warning", "info", "error"]
    drain(121)
    with structlog.testing.capture_logs() as logs:
        best_price.refresh()
    assert events(logs) == ["price_state_over"]


def test_curves_are_the_last_of_each_market_stale_or_not(time):
    row(MOS_ESPA, -900, "60", sell=[["1", "60"]])
    old = row(MOS_ESPA, -500, "40", sell=[["1", "40"], ["50", "30.5"]])
    drain(0)
    found = best_price.snapshot().curves(clock.now())
    assert list(found) == [MOS_ESPA]
    curve = found[MOS_ESPA]
    assert curve.levels == (Level(Decimal(1), Decimal(40)), Level(Decimal(50), Decimal("30.5")))
    assert (curve.market, curve.fresh, curve.sent_at, curve.quote_id) == (MOS_ESPA, False, at(-500), old.pk)


def test_an_older_event_does_not_replace_a_fresh_one_on_the_board(time):
    row(MOS_ESPA, -20, "50", market_time=Decimal(10**11))
    row(MOS_ESPA, -10, "40")
    assert best_price.current().price == Decimal(50)
    time[0] = at(39.9)
    assert best_price.refresh().price == Decimal(50)


def test_an_event_from_the_far_future_is_told_once_it_has_outranked_its_market_for_long(time):
    row(MOS_ESPA, -12, "50", market_time=Decimal(253402300799), event_id="from-9999")
    row(MOS_ESPA, -8, "49")
    row(BLACK_SPIRE, -8, "48")
    drain(0)
    with structlog.testing.capture_logs() as logs:
        best_price.refresh()
        assert events(logs) == [], "an event overtaken by its predecessor is everyday"
        row(MOS_ESPA, -7, "49")
        best_price.refresh()
        best_price.refresh()
    assert [(log["log_level"], log["event"], log["market"], log["reference"]) for log in logs] == [
        ("warning", "feed_outranked", "mos_espa", "from-9999")
    ]
    row(MOS_ESPA, 70, "47")
    time[0] = at(71)
    drain(71)
    with structlog.testing.capture_logs() as logs:
        best_price.refresh()
    assert "price_state_over" in events(logs)


def test_the_reference_is_the_event_id_or_else_the_message_id(time):
    row(MOS_ESPA, -1, "50", event_id="e-7")
    row(BLACK_SPIRE, -1, "40", message_id="m-7")
    assert [q.reference for q in best_price.current().quotes] == ["e-7", "m-7"]


def test_the_clock_is_the_databases():
    now = clock.now()
    row(MOS_ESPA, 0, "50", sent_at=now - timedelta(seconds=1))
    assert best_price.current().price == 50
    with clock.driven_by(lambda: now + timedelta(hours=1)):
        assert best_price.current().price is None
