"""Evaluations made anew from quotes: by worked times and prices; and judged together they are as judged each alone."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.replay.evaluations import Instant, Known, ReadFurtherBack, Rules, evaluations
from pricing.tests.builders import BLACK_SPIRE, FRESHNESS, MOS_ESPA, NO_GUARD, at, is_aside, quote

UNGUARDED = Rules(NO_GUARD, FRESHNESS, Decimal(1))


def known(market, sent, price, when, *, first=None, **fields):
    """A quote that was sent, covered by the evaluation at another time, and known since then or earlier, in seconds."""
    return Known(quote(market, sent, price, **fields), at(when if first is None else first), at(when))


def replayed(quotes, *seconds, rules=UNGUARDED, evaluated_to=-1000.0, since=-1000.0):
    """The evaluations at these times; each had quotes, or is taken to have had some."""
    before, instants = evaluated_to, []
    for second in seconds:
        instants.append(Instant(at(second), at(before), at(before)))
        before = second
    return list(evaluations(instants, quotes, {}, rules, at(since)))


def prices(found):
    """When and at which price each low of an evaluation began, and its last and careful prices."""
    lows = [((low.at - at(0)).total_seconds(), str(low.price)) for low in found.lows]
    return lows, found.last and str(found.last.price), found.careful and str(found.careful.price)


def test_an_evaluation_knows_the_quotes_it_covered_and_no_others():
    quotes = [known(MOS_ESPA, 0, "50", 1), known(MOS_ESPA, 2, "30", 3), known(MOS_ESPA, 2.5, "45", 4)]
    first, second, third = replayed(quotes, 1, 3, 4)
    assert prices(first) == ([(0, "50")], None, "50")
    assert prices(second) == ([(2, "30")], None, "30")
    assert prices(third) == ([(2.5, "45")], None, "45")


def test_a_dip_between_two_evaluations_is_a_low_and_the_last_price_another():
    quotes = [known(MOS_ESPA, 0, "50", 4), known(MOS_ESPA, 2, "30", 4), known(MOS_ESPA, 3, "45", 4)]
    (found,) = replayed(quotes, 4)
    assert prices(found) == ([(2, "30"), (3, "45")], None, "45")
    assert [low.applies_before for low in found.lows] == [at(3), at(4)]


def test_a_quote_that_another_market_has_overtaken_makes_its_own_time_anew():
    quotes = [
        known(MOS_ESPA, 0, "50", 1), known(BLACK_SPIRE, 2, "49", 3), known(MOS_ESPA, 1.5, "30", 4),
        known(MOS_ESPA, 5, "48", 6),
    ]  # fmt: skip
    _first, before, late, after = replayed(quotes, 1, 3, 4, 6)
    assert prices(before) == ([(2, "50")], None, "50")
    assert prices(late) == ([(1.5, "30"), (2, "49")], None, "49")
    assert prices(after)[2] == "49"


def test_a_price_that_expired_is_none_and_a_feed_with_quotes_still_to_be_read_is_not_drained():
    quotes = [known(MOS_ESPA, 0, "50", 1), known(BLACK_SPIRE, 1, "30", 2)]
    assert prices(replayed(quotes, 60.5)[0]) == ([(60, "30")], None, "30")
    unread = [*quotes, known(MOS_ESPA, 59, "50", 70)]
    assert prices(replayed(unread, 60.5)[0]) == ([(60.5, "50")], None, "50")
    assert prices(replayed(quotes, 60.5, 200)[1]) == ([], None, None)


def test_an_expiry_is_evaluated_from_where_it_was():
    quotes = [known(MOS_ESPA, 0, "50", 1), known(BLACK_SPIRE, 1, "30", 2), known(BLACK_SPIRE, 61, "31", 62)]
    found = replayed(quotes, 1, 2, 62)[-1]
    assert prices(found) == ([(60, "30"), (61, "31")], None, "31")


def test_a_jump_waits_until_it_is_confirmed_and_then_its_whole_time_is_judged():
    quotes = [known(MOS_ESPA, 0, "50", 1), known(MOS_ESPA, 2, "20", 3), known(MOS_ESPA, 4, "20", 5)]
    _first, waiting, confirmed = replayed(quotes, 1, 3, 5, rules=Rules((), FRESHNESS, Decimal(1)))
    assert prices(waiting) == ([], None, "20")
    assert prices(confirmed) == ([(4, "20")], None, "20")


def test_a_quote_that_came_too_late_claims_nobody_but_is_the_price():
    quotes = [known(MOS_ESPA, 0, "30", 90, too_late=True), known(BLACK_SPIRE, 89, "20", 95)]
    assert prices(replayed(quotes, 95)[0]) == ([(89, "20")], None, "20")


def test_a_market_set_aside_counts_for_nothing_and_its_end_is_evaluated():
    quotes = [known(MOS_ESPA, 0, "50", 1), known(BLACK_SPIRE, 0.5, "30", 1), known(BLACK_SPIRE, 9, "30", 10)]
    rules = Rules(NO_GUARD, FRESHNESS, Decimal(1), aside=(is_aside(MOS_ESPA, 2, 6),))
    _first, found = replayed(quotes, 1, 10, rules=rules)
    assert prices(found) == ([(2, "30"), (9, "50")], None, "50")


def test_after_a_pause_the_price_is_evaluated_from_its_end():
    quotes = [known(MOS_ESPA, 0, "30", 1), known(MOS_ESPA, 9, "50", 10)]
    rules = Rules(NO_GUARD, FRESHNESS, Decimal(1), resumed=(at(5),))
    found = replayed(quotes, 1, 10, rules=rules)[-1]
    assert prices(found) == ([(5, "30"), (9, "50")], None, "50")


def test_what_an_unfinished_evaluation_knew_is_evaluated_again_by_the_next():
    quotes = [known(MOS_ESPA, 0, "50", 1), known(MOS_ESPA, 2, "30", 5, first=3), known(MOS_ESPA, 4, "29", 5)]
    _first, unfinished, finished = replayed(quotes, 1, 3, 5)
    assert prices(unfinished) == ([(2, "30")], None, "30")
    assert prices(finished) == ([(4, "29")], None, "29")
    assert prices(replayed([*quotes[:2], known(MOS_ESPA, 4, "40", 5)], 1, 3, 5)[-1]) == (
        [(2, "30"), (4, "40")], None, "40",
    )  # fmt: skip


def test_a_window_that_begins_before_what_was_read_asks_for_more():
    quotes = [known(MOS_ESPA, 2, "30", 3)]
    with pytest.raises(ReadFurtherBack) as further:
        replayed(quotes, 3, since=2.5)
    assert further.value.since == at(2)


quotes_of_two_markets = st.lists(
    st.tuples(
        st.sampled_from([MOS_ESPA, BLACK_SPIRE]),
        st.integers(0, 80),
        st.sampled_from(["20", "28", "31", "45", "50", "90"]),
        st.integers(0, 25),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(quotes_of_two_markets, st.sampled_from([(), NO_GUARD]))
def test_evaluations_judged_together_are_as_each_judged_alone(drawn, guards):
    quotes = [known(market, sent, price, sent + delay) for market, sent, price, delay in drawn]
    rules = Rules(guards, FRESHNESS, Decimal(1))
    seconds = sorted({(one.at - at(0)).total_seconds() for one in quotes} | {90.0})
    together = replayed(quotes, *seconds, rules=rules)
    for number, second in enumerate(seconds):
        before = seconds[number - 1] if number else -1000.0
        (alone,) = replayed(quotes, second, rules=rules, evaluated_to=before)
        assert alone == together[number]
