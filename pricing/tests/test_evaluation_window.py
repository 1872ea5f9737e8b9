"""The window a sweep judges."""

import itertools
from decimal import Decimal
from random import Random

import pytest
import structlog

from pricing import evaluation_window
from pricing.models import Feed, PriceQuote
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at, seen
from pricing.tests.test_best_price import drain, row

pytestmark = pytest.mark.django_db


def window(second):
    return evaluation_window.open_window(at(second))


def ids(found):
    return [quote.id for quote in found.unevaluated]


def test_without_anything_unswept_the_window_is_now():
    row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    found = window(10)
    assert found.unevaluated == ()
    assert seen(found.points) == seen(found.lows) == [(10, "50")]
    assert seen((found.last,)) == [(0, "50")], "where it began"
    assert not evaluation_window.anything_unevaluated(at(100))


def test_without_any_quote_the_price_now_is_unknown():
    found = window(10)
    assert (found.unevaluated, seen(found.points), found.lows, found.last.price) == ((), [(10, None)], (), None)


def test_the_window_goes_from_the_earliest_unswept_quote_to_now():
    row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    dip, rise = row(MOS_ESPA, 5, "30"), row(MOS_ESPA, 6, "45")
    row(BLACK_SPIRE, 2, "20", evaluated_at=at(3))
    found = window(10)
    assert ids(found) == [dip.pk, rise.pk]
    assert seen(found.points) == [(5, "30"), (6, "45")]
    assert seen(found.lows) == [(5, "30"), (6, "45")]
    assert seen((found.last,)) == [(6, "45")]
    assert found.lows[0].quotes[0].id == dip.pk


def test_a_dip_that_arrives_after_the_rise_was_swept_is_found():
    row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    row(MOS_ESPA, 6, "45", evaluated_at=at(7))
    row(MOS_ESPA, 5, "30")
    found = window(10)
    assert seen(found.lows) == [(5, "30"), (6, "45")]


def test_a_silence_hidden_by_lag_is_judged_when_its_end_arrives():
    row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    row(BLACK_SPIRE, 20, "30", evaluated_at=at(21))
    row(MOS_ESPA, 75, "50")
    drain(76)
    found = window(77)
    assert seen(found.points) == [(60, "30"), (75, "50")]
    assert seen(found.lows) == [(60, "30"), (75, "50")]


def test_a_silence_that_a_sweep_took_for_lag_is_judged_when_it_is_known():
    """The dip to 30 is over, and Mos Espa has sent nothing since, when its queue is found empty."""
    row(MOS_ESPA, 0, "50")
    row(BLACK_SPIRE, 20, "30")
    row(BLACK_SPIRE, 65, "55")
    Feed.objects.create(market=MOS_ESPA, drained_to=at(1))
    Feed.objects.create(market=BLACK_SPIRE, drained_to=at(70))
    assert window(70).lows[0].price == 50, "for all we know, Mos Espa pays 50 still"
    evaluation_window.mark_evaluated(window(70))
    assert seen(window(71).points) == [(71, "55")]
    Feed.objects.filter(market=MOS_ESPA).update(drained_to=at(72))
    found = window(73)
    assert (found.unevaluated, seen(found.lows)) == ((), [(60, "30"), (65, "55")])
    evaluation_window.mark_evaluated(found)
    assert seen(window(74).points) == [(74, "55")], "once"


def test_a_silence_may_be_learned_of_as_late_as_a_window_reaches():
    row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    row(BLACK_SPIRE, 58, "30", evaluated_at=at(59))
    row(MOS_ESPA, 117, "70", evaluated_at=at(118))
    drain(188)
    assert seen(window(188).lows)[0] == (60, "30")


def test_a_silence_since_the_last_sweep_is_judged_whatever_ends_it():
    row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    row(BLACK_SPIRE, 20, "30", evaluated_at=at(21))
    row(BLACK_SPIRE, 63, "55")
    drain(64)
    assert seen(window(64).lows) == [(60, "30"), (63, "55")]


def test_a_quote_that_came_too_late_opens_no_window_and_is_no_low():
    row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    row(MOS_ESPA, 30, "10", too_late=True, evaluated_at=at(95))
    row(BLACK_SPIRE, 20, "20")
    drain(95)
    assert seen(window(95).points) == [(20, "50"), (30, "20"), (80, "10"), (90, None)]
    assert window(95).lows[0].price == Decimal(50)


def test_quotes_later_than_the_window_are_left_for_the_next():
    row(MOS_ESPA, 5, "50")
    later = row(MOS_ESPA, 15, "40")
    found = window(10)
    assert later.pk not in ids(found)
    assert seen((found.last,)) == [(5, "50")]
    assert ids(window(15))[-1] == later.pk


def test_a_price_recorded_after_the_clock_was_set_back_is_judged_as_far_as_the_last_sweep():
    """Mos Espa's 30 counts as sent at 4, before the 50 that the last sweep judged; and takes its place."""
    row(MOS_ESPA, 5, "50", evaluated_at=at(20))
    row(BLACK_SPIRE, 15, "60", evaluated_at=at(20))
    dip = row(MOS_ESPA, 4, "30", market_time=Decimal(6))
    with structlog.testing.capture_logs() as logs:
        found = window(4.5)
    assert (ids(found), seen(found.lows)) == ([dip.pk], [(4, "30"), (15, "60")])
    assert [log["event"] for log in logs] == ["clock_set_back"]
    evaluation_window.mark_evaluated(found)
    assert not evaluation_window.anything_unevaluated(at(20))


def test_a_clock_that_was_wrong_by_more_than_a_quote_lives_is_not_followed():
    row(MOS_ESPA, 1, "50", evaluated_at=at(3600))
    row(MOS_ESPA, 4, "30")
    assert window(5).until == at(5)


def test_marking_swept_keeps_the_first_instant():
    row(MOS_ESPA, 5, "50")
    row(MOS_ESPA, 6, "50", evaluated_at=at(7))
    assert evaluation_window.anything_unevaluated(at(100))
    evaluation_window.mark_evaluated(window(10))
    evaluation_window.mark_evaluated(window(11))
    assert list(PriceQuote.objects.order_by("id").values_list("evaluated_at", flat=True)) == [at(10), at(7)]
    assert not evaluation_window.anything_unevaluated(at(100))


def test_a_quote_that_was_dated_back_during_a_sweep_stays_unswept():
    moved = row(MOS_ESPA, 5, "50")
    taken_on = window(10)
    PriceQuote.objects.filter(pk=moved.pk).update(sent_at=at(3))
    evaluation_window.mark_evaluated(taken_on)
    assert evaluation_window.anything_unevaluated(at(10))
    evaluation_window.mark_evaluated(window(11))
    assert not evaluation_window.anything_unevaluated(at(11))


def a_life(dice, *, until):
    """Two feeds that lag, fall silent and send out of order; yields the instants at which a sweep looks."""
    waiting = {MOS_ESPA: [], BLACK_SPIRE: []}
    silent_until = dict.fromkeys(waiting, 0.0)
    stuck_until, second, price = dict.fromkeys(waiting, 0.0), 0.0, itertools.count(30)
    while second < until:
        second += dice.choice([0.5, 1, 1, 1, 7, 20, 70])
        for market, queue in waiting.items():
            if second >= silent_until[market] and dice.random() < 0.8:
                own = second + dice.choice([0, 0, 0, 0, -3, -80, 10**9])
                queue.append({"second": second, "price": str(next(price)), "time": own})
            if dice.random() < 0.1:
                silent_until[market] = second + dice.choice([30, 61, 100, 200])
            if dice.random() < 0.1:
                stuck_until[market] = second + dice.choice([5, 50, 130])
            if second >= stuck_until[market]:
                for sent in queue:
                    late = second - sent["second"] >= 60
                    row(market, sent["second"], sent["price"], market_time=Decimal(sent["time"]),
                        received_at=at(second), too_late=late, evaluated_at=at(second) if late else None)  # fmt: skip
                queue.clear()
                if dice.random() < 0.7:
                    drain(second, market)
        if dice.random() < 0.6:
            yield second


@pytest.mark.parametrize("seed", range(40))
def test_the_few_quotes_read_say_what_all_of_them_would(seed, monkeypatch):
    looked = 0
    for second in a_life(Random(seed), until=700):
        found = window(second)
        with monkeypatch.context() as patch:
            patch.setattr(evaluation_window, "_settled_to", lambda progress: at(-10_000))
            everything = window(second)
        for name in ("unevaluated", "points", "lows", "until", "drained_to"):
            assert getattr(found, name) == getattr(everything, name), (name, second)
        assert found.last.price == everything.last.price
        assert found.last.price is None or found.last == everything.last
        evaluation_window.mark_evaluated(found)
        looked += 1
    assert looked
