"""What an evaluation covers, and what it marks as evaluated."""

import itertools
from decimal import Decimal
from random import Random

import pytest
import structlog

from coruscant import history
from coruscant.controls.models import Control, ControlKind
from pricing import evaluation_window
from pricing.models import Feed, HeldJump, PriceGuard, PriceQuote
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at, seen
from pricing.tests.rows import drain, quote_row

pytestmark = pytest.mark.django_db


def window(second):
    return evaluation_window.open_window(at(second))


def ids(found):
    return [quote.id for quote in found.unevaluated]


def test_without_unevaluated_quotes_the_window_is_now():
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    found = window(10)
    assert found.unevaluated == ()
    assert seen(found.points) == seen(found.lows) == [(10, "50")]
    assert seen((found.last,)) == [(0, "50")], "where it began"
    assert not evaluation_window.anything_unevaluated(at(100))


def test_without_any_quote_the_price_now_is_unknown():
    found = window(10)
    assert (found.unevaluated, seen(found.points), found.lows, found.last.price) == ((), [(10, None)], (), None)


def test_the_window_goes_from_the_earliest_unevaluated_quote_to_now():
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    dip, rise = quote_row(MOS_ESPA, 5, "30"), quote_row(MOS_ESPA, 6, "42")
    quote_row(BLACK_SPIRE, 2, "20", evaluated_at=at(3))
    found = window(10)
    assert ids(found) == [dip.pk, rise.pk]
    assert seen(found.points) == [(5, "30"), (6, "42")]
    assert seen(found.lows) == [(5, "30"), (6, "42")]
    assert seen((found.last,)) == [(6, "42")]
    assert found.lows[0].quotes[0].id == dip.pk


def test_a_dip_that_arrives_after_the_rise_was_evaluated_is_found():
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    quote_row(MOS_ESPA, 6, "42", evaluated_at=at(7))
    quote_row(MOS_ESPA, 5, "30")
    found = window(10)
    assert seen(found.lows) == [(5, "30"), (6, "42")]


def test_a_gap_hidden_by_our_lag_is_evaluated_when_the_next_quote_arrives():
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    quote_row(BLACK_SPIRE, 20, "30", evaluated_at=at(21))
    quote_row(MOS_ESPA, 75, "50")
    drain(76)
    found = window(77)
    assert seen(found.points) == [(60, "30"), (75, "50")]
    assert seen(found.lows) == [(60, "30"), (75, "50")]


def test_an_expiry_that_an_evaluation_took_for_lag_is_evaluated_once_it_is_confirmed():
    """The dip to 30 is over, and Mos Espa has sent nothing since, when its queue is found empty."""
    quote_row(MOS_ESPA, 0, "50")
    quote_row(BLACK_SPIRE, 20, "30")
    quote_row(BLACK_SPIRE, 65, "42")
    Feed.objects.create(market=MOS_ESPA, drained_to=at(1))
    Feed.objects.create(market=BLACK_SPIRE, drained_to=at(70))
    assert window(70).lows[0].price == 50, "as far as is known, Mos Espa still pays 50"
    evaluation_window.mark_evaluated(window(70))
    assert seen(window(71).points) == [(71, "50")]
    Feed.objects.filter(market=MOS_ESPA).update(drained_to=at(72))
    found = window(73)
    assert (found.unevaluated, seen(found.lows)) == ((), [(60, "30"), (65, "42")])
    evaluation_window.mark_evaluated(found)
    assert seen(window(74).points) == [(74, "42")], "only once"


def test_an_expiry_may_be_confirmed_as_late_as_a_window_reaches_back():
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    quote_row(BLACK_SPIRE, 58, "30", evaluated_at=at(59))
    quote_row(MOS_ESPA, 117, "70", evaluated_at=at(118))
    drain(188)
    assert seen(window(188).lows)[0] == (60, "30")


def test_an_expiry_since_the_last_evaluation_is_evaluated_whatever_follows_it():
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    quote_row(BLACK_SPIRE, 20, "30", evaluated_at=at(21))
    quote_row(BLACK_SPIRE, 63, "42")
    drain(64)
    assert seen(window(64).lows) == [(60, "30"), (63, "42")]


def test_a_quote_that_came_too_late_opens_no_window_and_is_no_low():
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    quote_row(MOS_ESPA, 30, "31", too_late=True, evaluated_at=at(95))
    quote_row(BLACK_SPIRE, 20, "40")
    drain(95)
    assert seen(window(95).points) == [(20, "50"), (30, "40"), (80, "31"), (90, None)]
    assert window(95).lows[0].price == Decimal(50)


def test_quotes_later_than_the_window_are_left_for_the_next():
    quote_row(MOS_ESPA, 5, "50")
    later = quote_row(MOS_ESPA, 15, "40")
    found = window(10)
    assert later.pk not in ids(found)
    assert seen((found.last,)) == [(5, "50")]
    assert ids(window(15))[-1] == later.pk


def test_after_the_clock_was_set_back_a_window_ends_where_the_last_one_did():
    """Mos Espa's 30 counts as sent at 4, before the 50 that is already evaluated, and outranks it."""
    quote_row(MOS_ESPA, 5, "50", evaluated_at=at(20))
    quote_row(BLACK_SPIRE, 15, "60", evaluated_at=at(20))
    dip = quote_row(MOS_ESPA, 4, "30", market_time=Decimal(6))
    with structlog.testing.capture_logs() as logs:
        found = window(4.5)
    assert (ids(found), seen(found.lows)) == ([dip.pk], [(4, "30"), (15, "60")])
    assert [log["event"] for log in logs] == ["clock_set_back"]
    evaluation_window.mark_evaluated(found)
    assert not evaluation_window.anything_unevaluated(at(20))


def test_a_clock_that_was_ahead_by_more_than_the_maximum_age_is_not_followed():
    quote_row(MOS_ESPA, 1, "50", evaluated_at=at(3600))
    quote_row(MOS_ESPA, 4, "30")
    assert window(5).until == at(5)


def test_marking_again_keeps_the_first_instant():
    quote_row(MOS_ESPA, 5, "50")
    quote_row(MOS_ESPA, 6, "50", evaluated_at=at(7))
    assert evaluation_window.anything_unevaluated(at(100))
    evaluation_window.mark_evaluated(window(10))
    evaluation_window.mark_evaluated(window(11))
    assert list(PriceQuote.objects.order_by("id").values_list("evaluated_at", flat=True)) == [at(10), at(7)]
    assert not evaluation_window.anything_unevaluated(at(100))


def test_a_window_of_many_quotes_is_marked_in_several_statements(monkeypatch):
    monkeypatch.setattr(evaluation_window, "_MARKED_AT_ONCE", 2)
    for second in range(5):
        quote_row(MOS_ESPA, second, "50")
    evaluation_window.mark_evaluated(window(10))
    assert set(PriceQuote.objects.values_list("evaluated_at", flat=True)) == {at(10)}


def test_a_quote_that_was_dated_back_during_an_evaluation_stays_unevaluated():
    moved = quote_row(MOS_ESPA, 5, "50")
    taken_on = window(10)
    PriceQuote.objects.filter(pk=moved.pk).update(sent_at=at(3))
    evaluation_window.mark_evaluated(taken_on)
    assert evaluation_window.anything_unevaluated(at(10))
    evaluation_window.mark_evaluated(window(11))
    assert not evaluation_window.anything_unevaluated(at(11))


def random_feeds(seeded, *, until):
    """Two feeds that lag, fall silent and send out of order; yields the instants of evaluations."""
    waiting = {MOS_ESPA: [], BLACK_SPIRE: []}
    silent_until = dict.fromkeys(waiting, 0.0)
    stuck_until, second, price = dict.fromkeys(waiting, 0.0), 0.0, itertools.count(30)
    while second < until:
        second += seeded.choice([0.5, 1, 1, 1, 7, 20, 70])
        for market, queue in waiting.items():
            if second >= silent_until[market] and seeded.random() < 0.8:
                own = second + seeded.choice([0, 0, 0, 0, -3, -80, 10**9])
                queue.append({"second": second, "price": str(next(price)), "time": own})
            if seeded.random() < 0.1:
                silent_until[market] = second + seeded.choice([30, 61, 100, 200])
            if seeded.random() < 0.1:
                stuck_until[market] = second + seeded.choice([5, 50, 130])
            if second >= stuck_until[market]:
                for sent in queue:
                    late = second - sent["second"] >= 60
                    quote_row(market, sent["second"], sent["price"], market_time=Decimal(sent["time"]),
                        received_at=at(second), too_late=late, evaluated_at=at(second) if late else None)  # fmt: skip
                queue.clear()
                if seeded.random() < 0.7:
                    drain(second, market)
        if seeded.random() < 0.6:
            yield second


@pytest.mark.parametrize("seed", range(40))
def test_the_few_quotes_read_give_the_same_window_as_all_of_them(seed, monkeypatch):
    windows = 0
    for second in random_feeds(Random(seed), until=700):
        found = window(second)
        with monkeypatch.context() as patch:
            patch.setattr(evaluation_window, "_settled_to", lambda progress: at(-10_000))
            everything = window(second)
        for name in ("unevaluated", "points", "lows", "until", "drained_further"):
            assert getattr(found, name) == getattr(everything, name), (name, second)
        assert found.last.price == everything.last.price
        assert found.last.price is None or found.last == everything.last
        evaluation_window.mark_evaluated(found)
        windows += 1
    assert windows


def test_a_dip_that_waited_for_a_jump_is_evaluated_once_the_jump_has_expired():
    """Mos Espa jumps and falls silent; meanwhile Black Spire Outpost dips for a moment."""
    for sent, market, price in ((0, MOS_ESPA, "35"), (0, BLACK_SPIRE, "50"), (1, MOS_ESPA, "5000")):
        quote_row(market, sent, price)
    quote_row(BLACK_SPIRE, 2, "33")
    quote_row(BLACK_SPIRE, 3, "45")
    found = window(4)
    assert ([low.at for low in found.lows], found.last.may_claim) == ([at(0)], False)
    evaluation_window.mark_evaluated(found)
    assert not evaluation_window.anything_unevaluated(at(60))
    drain(60)
    assert window(60.9).lows == ()
    found = window(61)
    assert seen(found.lows)[0] == (2, "35")
    evaluation_window.mark_evaluated(found)
    assert [(jump.outcome, jump.price, jump.against, jump.ended_at) for jump in HeldJump.objects.all()] == [
        ("expired", 5000, 35, at(61))
    ]


def test_an_evaluation_stores_since_when_each_quote_was_effective_and_what_confirmed_it():
    for sent, price in ((0, "50"), (1, "20"), (2, "20"), (3, "5000")):
        quote_row(MOS_ESPA, sent, price, message_id=f"m{sent}")
    evaluation_window.mark_evaluated(window(4))
    columns = ("effective_from", "alone", "confirmed_by")
    assert list(PriceQuote.objects.order_by("sent_at").values_list(*columns)) == [
        (at(0), "", ""), (at(2), "fall", "mos_espa:m2"), (at(2), "fall", "mos_espa:m1"), (None, "", ""),
    ]  # fmt: skip
    quote_row(BLACK_SPIRE, 5, "4900", message_id="b5")
    evaluation_window.mark_evaluated(window(6))
    confirmed = PriceQuote.objects.get(message_id="m3")
    assert (confirmed.effective_from, confirmed.alone, confirmed.confirmed_by) == (
        at(5), "", "black_spire_outpost:b5"
    )  # fmt: skip


def test_a_jump_is_recorded_if_what_confirmed_it_reached_us_after_an_evaluation_that_ended_later():
    for sent, price in ((0, "50"), (1, "5000")):
        quote_row(MOS_ESPA, sent, price)
    evaluation_window.mark_evaluated(window(3))
    assert not HeldJump.objects.exists()
    quote_row(MOS_ESPA, 2, "5000")
    evaluation_window.mark_evaluated(window(4))
    (jump,) = HeldJump.objects.all()
    assert (jump.outcome, jump.sent_at, jump.ended_at) == ("confirmed", at(1), at(2))


def test_a_guard_that_watches_records_what_it_would_have_held():
    PriceGuard.objects.create(holds_from=at(-100), mode="watch", jump="0.4", agreement="0.1", dispute="0.25",
        changed_by="two")  # fmt: skip
    for sent, price in ((0, "50"), (1, "5000"), (2, "50")):
        quote_row(MOS_ESPA, sent, price)
    found = window(3)
    assert seen(found.points) == [(0, "50"), (1, "5000"), (2, "50")]
    evaluation_window.mark_evaluated(found)
    (jump,) = HeldJump.objects.all()
    assert (jump.mode, jump.outcome, jump.price, jump.sent_at, jump.ended_at) == (
        "watch", "replaced", 5000, at(1), at(2)
    )  # fmt: skip


@pytest.fixture
def aside():
    def set_aside(market, start, end):
        with history.cause("pull", correlation_id="set_aside"):
            Control.objects.create(
                kind=ControlKind.SET_ASIDE, market=market, began_at=at(start), until=at(end), why="It lies.",
                pulled_by="leia",
            )  # fmt: skip

    return set_aside


def test_a_dip_at_either_edge_of_prices_set_aside_is_evaluated(aside):
    """The higher market is out from 5 to 8 while nobody evaluates."""
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    quote_row(BLACK_SPIRE, 0, "30", evaluated_at=at(1))
    aside(MOS_ESPA, 5, 8)
    found = window(10)
    assert seen(found.points) == [(5, "30"), (8, "50")]
    assert seen(found.lows) == [(5, "30"), (8, "50")]
    assert seen((found.last,)) == [(8, "50")]
    quote_row(BLACK_SPIRE, 7, "40")
    assert seen(window(10).lows) == [(5, "30"), (7, "40"), (8, "50")], "before the first unevaluated quote, too"


def test_the_edges_of_prices_set_aside_open_a_window_once(aside):
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    quote_row(BLACK_SPIRE, 0, "30", evaluated_at=at(1))
    aside(MOS_ESPA, 5, 8)
    quote_row(BLACK_SPIRE, 6, "31")
    evaluation_window.mark_evaluated(window(10))
    assert seen(window(11).points) == [(11, "50")]


def test_a_market_set_aside_long_ago_and_still_out_counts_for_nothing(aside):
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    aside(MOS_ESPA, 5, 2000)
    quote_row(MOS_ESPA, 1000, "50", evaluated_at=at(1001))
    quote_row(BLACK_SPIRE, 1000, "30", evaluated_at=at(1001))
    assert seen(window(1010).points) == [(1010, "30")]


def test_an_edge_is_evaluated_after_an_outage_as_far_back_as_an_expiry(aside):
    quote_row(MOS_ESPA, 0, "50", evaluated_at=at(1))
    quote_row(BLACK_SPIRE, 0, "30", evaluated_at=at(1))
    aside(MOS_ESPA, 5, 8)
    quote_row(BLACK_SPIRE, 30, "51")
    drain(4000)
    assert seen(window(4000).lows)[0] == (5, "30")


def test_a_dip_behind_a_jump_is_found_after_an_outage_of_evaluations():
    """Nobody claimed while the jump was pending; when it had died, nobody evaluated for minutes."""
    quote_row(MOS_ESPA, 0, "50")
    quote_row(MOS_ESPA, 55, "500")
    quote_row(BLACK_SPIRE, 61, "31")
    quote_row(BLACK_SPIRE, 71, "42")
    drain(72)
    found = window(72)
    assert not found.points[-1].may_claim
    evaluation_window.mark_evaluated(found)
    quote_row(BLACK_SPIRE, 80, "43")
    quote_row(BLACK_SPIRE, 299, "43")
    drain(300)
    assert (61, "31") in seen(window(300).lows)


def test_what_was_set_aside_long_ago_confirms_no_jump_in_hindsight(aside):
    """The jump is the last of its market before all that must be read."""
    quote_row(MOS_ESPA, 0, "50")
    quote_row(BLACK_SPIRE, 9, "20")
    aside(BLACK_SPIRE, 5, 12)
    quote_row(MOS_ESPA, 10, "20")
    quote_row(BLACK_SPIRE, 20, "27")
    evaluation_window.mark_evaluated(window(25))
    quote_row(BLACK_SPIRE, 900, "27")
    drain(900)
    evaluation_window.mark_evaluated(window(901))
    quote_row(MOS_ESPA, 910, "50")
    found = window(911)
    assert seen(found.points)[-1] == (910, "50")
    assert found.last.may_claim
