"""Which quotes are effective, by tables of times and prices: docs/price-rules.md has the same ones."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pricing import guard as rules
from pricing import timeline
from pricing.guard import DEFAULT, Alone, Guard, Mode
from pricing.quotes import Level
from pricing.tests.builders import BLACK_SPIRE, FRESHNESS, MOS_ESPA, T0, at, is_aside, points, quote

ON = (DEFAULT,)
A, B = MOS_ESPA, BLACK_SPIRE


def course(*quotes, market=A, guards=ON, settled=None, aside=()):
    return rules.judged(quotes, guards, FRESHNESS, settled, aside)[market]


def effective(found):
    """As (seconds after T0, the quote's price)."""
    return [((one.start - T0).total_seconds(), str(one.quote.sell[0].unit_price)) for one in found.effective]


def jumps(found):
    """As (second sent, price, second it ended, whether it was confirmed)."""
    return [
        (
            (one.quote.sent_at - T0).total_seconds(),
            str(one.quote.sell[0].unit_price),
            None if one.end is None else (one.end - T0).total_seconds(),
            one.confirmed,
        )
        for one in found.jumps
    ]


def prices(quotes, start=0, end=10, guards=ON, aside=()):
    """The timeline as rows of (second, price for claims, price for activations, may loans be claimed)."""
    found = points(quotes, dict.fromkeys((A, B), at(1000)), start, end, guards, aside=aside)
    return [
        (
            (point.at - T0).total_seconds(),
            None if point.price is None else str(point.price),
            None if point.cautious.price is None else str(point.cautious.price),
            point.may_claim,
        )
        for point in found
    ]


def deep(market, sent, *levels):
    return quote(market, sent, "1", sell=tuple(Level(Decimal(q), Decimal(p)) for q, p in levels))


def test_the_first_quote_of_a_market_is_effective_whatever_it_says():
    assert effective(course(quote(A, 0, "5000"))) == [(0, "5000")]


@pytest.mark.parametrize(("second", "believed"), [("30", True), ("29.99", False), ("70", True), ("70.01", False)])
def test_a_jump_is_a_change_of_more_than_forty_per_cent_of_the_effective_price(second, believed):
    found = course(quote(A, 0, "50"), quote(A, 1, second))
    assert effective(found) == [(0, "50"), (1, second)][: 1 + believed]
    assert bool(found.jumps) is not believed


def test_the_worked_example_is_no_jump():
    assert effective(course(quote(A, 0, "50"), quote(A, 1, "31.25"))) == [(0, "50"), (1, "31.25")]


def test_a_jump_at_the_deepest_level_alone_is_one():
    honest = ((1, 50), (10, 49), (50, 48), (100, 45))
    found = course(deep(A, 0, *honest), deep(A, 1, *honest[:3], (100, "0.5")))
    assert effective(found) == [(0, "50")]
    assert jumps(found) == [(1, "50", None, False)]


def test_leaving_out_a_level_and_sending_it_again_hides_no_jump():
    found = course(deep(A, 0, (1, 50), (100, 45)), deep(A, 1, (1, 50)), deep(A, 2, (1, 50), (100, "0.5")))
    assert len(found.effective) == 2
    assert jumps(found)[-1] == (2, "50", None, False)


@pytest.mark.parametrize(
    ("jump", "second", "confirmed"),
    [
        ("20", "20", True), ("20", "22", True), ("20", "22.01", False), ("20", "5", True),
        ("100", "100", True), ("100", "90", True), ("100", "89.99", False), ("100", "5000", True),
    ],
)  # fmt: skip
def test_a_later_quote_that_goes_as_far_confirms_a_jump_from_then_on(jump, second, confirmed):
    found = course(quote(A, 0, "50"), quote(A, 1, jump), quote(A, 2, second))
    assert ((2, jump) in effective(found)) is confirmed
    assert jumps(found)[0] == (1, jump, 2, confirmed)


def test_what_confirms_a_jump_may_be_one_itself():
    """20 is confirmed by 5, and 5 is judged against 20."""
    found = course(quote(A, 0, "50"), quote(A, 1, "20"), quote(A, 2, "5"))
    assert effective(found) == [(0, "50"), (2, "20")]
    assert jumps(found) == [(1, "20", 2, True), (2, "5", None, False)]


@pytest.mark.parametrize("own_time", [1, 0])
def test_a_quote_of_no_later_own_time_confirms_nothing(own_time):
    """The same event delivered twice has the same own time."""
    found = course(quote(A, 0, "50"), quote(A, 1, "20"), quote(A, 2, "20", time=own_time))
    assert effective(found) == [(0, "50")]
    assert jumps(found) == [(1, "20", 2, False), (2, "20", None, False)], "it takes the other's place"


def test_any_other_quote_takes_the_place_of_a_jump_and_is_judged_against_the_effective_one():
    found = course(*(quote(A, sent, price) for sent, price in enumerate(("50", "0.5", "5000", "48"))))
    assert effective(found) == [(0, "50"), (3, "48")]
    assert jumps(found) == [(1, "0.5", 2, False), (2, "5000", 3, False)]


def test_an_event_from_the_year_9999_that_jumps_hides_none_of_its_market_s_quotes():
    found = course(quote(A, 0, "50"), quote(A, 1, "5000", time=10**11), quote(A, 2, "49"))
    assert effective(found) == [(0, "50"), (2, "49")]


@pytest.mark.parametrize(
    ("other", "confirmed_at"),
    [
        (quote(B, -50, "21"), 1), (quote(B, -59, "21"), None), (quote(B, 1, "22"), 1), (quote(B, 5, "22"), 5),
        (quote(B, 5, "22.01"), None), (quote(B, 300, "21"), 300),
    ],
)  # fmt: skip
def test_another_market_s_quote_confirms_a_jump_if_it_lives_then_or_comes_while_that_is_the_latest(other, confirmed_at):
    found = course(quote(A, 0, "50"), quote(A, 1, "20"), other)
    assert effective(found) == [(0, "50"), *([] if confirmed_at is None else [(confirmed_at, "20")])]


def test_a_quote_that_its_market_has_replaced_confirms_nothing_any_more():
    found = course(quote(A, 0, "50"), quote(B, 0, "21"), quote(B, 1, "50"), quote(A, 2, "20"))
    assert effective(found) == [(0, "50")]


def test_two_markets_of_different_depth_confirm_each_other_where_the_jump_begins():
    found = course(
        deep(A, 0, (1, 50), (100, 48)), deep(A, 1, (1, 20), (100, 19)), deep(B, 1, (1, 21), (100, 21)), market=A
    )
    assert effective(found) == [(0, "50"), (1, "20")]


def test_a_market_that_sends_once_in_two_minutes_is_not_locked_out():
    """The jump has expired when its successor confirms the level; that is effective at once."""
    found = course(quote(A, 0, "50"), quote(A, 120, "20"), quote(A, 240, "20.5"))
    assert effective(found) == [(0, "50"), (240, "20"), (240, "20.5")]
    assert prices([quote(A, 0, "50"), quote(A, 120, "20"), quote(A, 240, "20.5")], 100, 250) == [
        (100, None, None, False), (240, "20.5", "20.5", True)
    ]  # fmt: skip


def test_confirmation_does_not_lengthen_a_jump_s_life():
    quotes = [quote(A, 0, "50"), quote(A, 10, "20"), quote(B, 30, "20")]
    found = points(quotes, dict.fromkeys((A, B), at(1000)), 0, 100, ON)
    assert [(p.at, [q.market for q in p.quotes]) for p in found][-2:] == [(at(70), [B]), (at(90), [])]


def test_a_quote_that_repeats_its_predecessor_is_effective_whatever_came_before():
    """Even if that one was outdated: so no more history is needed than the two."""
    found = course(quote(A, 0, "50", time=5), quote(A, 1, "20", time=1), quote(A, 2, "21", time=6))
    assert effective(found) == [(0, "50"), (2, "21")]


def test_late_quotes_give_the_course_that_they_would_have_given_in_time():
    quotes = [quote(A, 0, "50"), quote(A, 1, "20"), quote(A, 2, "20.5"), quote(B, 0, "50")]
    assert course(*reversed(quotes), *quotes) == course(*quotes)


# Prices that people set aside


def test_while_a_market_is_set_aside_the_other_one_decides():
    quotes = [
        quote(A, 0, "31"), quote(B, 0, "30"), quote(A, 1, "5000"), quote(A, 2.5, "5000"), quote(A, 3, "31"),
        quote(A, 5, "31"),
    ]  # fmt: skip
    said = {0: ("31", "31", True), 1: ("31", "30", False), 2: ("30", "30", True), 3: ("30", "30", True),
            5: ("31", "31", True)}  # fmt: skip
    for second, now in said.items():
        heard = [one for one in quotes if one.sent_at <= at(second)]
        assert prices(heard, end=second, aside=(is_aside(A, 2, 5),))[-1][1:] == now, second


def test_a_quote_set_aside_supports_no_jump_of_another_market():
    """Neither while its market is set aside nor afterwards, nor one from before while it is."""
    inside = quote(A, 0, "50"), quote(B, 5, "20"), quote(A, 10, "20")
    assert jumps(course(*inside)) == [(10, "20", 10, True)]
    assert jumps(course(*inside, aside=(is_aside(B, 4, 6),))) == [(10, "20", None, False)]
    assert jumps(course(*inside, aside=(is_aside(B, 9, 11),))) == [(10, "20", None, False)]
    assert jumps(course(*inside, aside=(is_aside(B, 6, 10),))) == [(10, "20", 10, True)], "until just before the end"
    later = quote(A, 0, "50"), quote(A, 5, "20"), quote(B, 7, "20")
    assert jumps(course(*later, aside=(is_aside(B, 7, 8),))) == [(5, "20", None, False)]
    assert jumps(course(*later, aside=(is_aside(A, 4, 8),))) == [(5, "20", 7, True)], "it may be supported itself"


def test_a_market_set_aside_confirms_no_jump_of_its_own_until_its_second_quote_afterwards():
    """One alone is not enough, whatever it said meanwhile."""
    quotes = quote(A, 0, "50"), *(quote(A, second, "20") for second in (10, 11, 12, 13))
    assert effective(course(*quotes))[:3] == [(0, "50"), (11, "20"), (11, "20")]
    assert effective(course(*quotes, aside=(is_aside(A, 5, 12),))) == [(0, "50"), (13, "20"), (13, "20")]
    assert effective(course(*quotes, aside=(is_aside(A, 5, 12.5),))) == [(0, "50")]


def test_a_market_set_aside_bears_out_no_other():
    """So one that is alone with its level stays alone."""
    quotes = [quote(A, 0, "50"), quote(A, 1, "20"), quote(A, 2, "20"), quote(B, 3, "20"), quote(A, 4, "20")]
    assert course(*quotes).effective[-1].alone is Alone.NO
    assert course(*quotes, aside=(is_aside(B, 3, 9),)).effective[-1].alone is Alone.FALL


# The price from all markets


def test_a_false_high_at_one_market_hides_no_loan_beside_a_true_price():
    """5,000 every second beside a true 31: nothing is lent against it, and nobody hides behind it."""
    true = [quote(B, sent, "31") for sent in range(-1, 9)]
    false = [quote(A, -1, "31"), *(quote(A, sent, "5000") for sent in range(1, 9))]
    assert {row[1:] for row in prices(true + false, 0, 8)} == {("31", "31", True)}
    assert prices(true + false[:2], 1, 1) == [(1, "31", "31", False)], "claims wait for one quote"


def test_one_false_low_while_the_other_market_is_silent_sells_nothing():
    quotes = [quote(A, 0, "50"), quote(A, 1, "0.5"), quote(A, 2, "50")]
    assert prices(quotes, 0, 5) == [(0, "50", "50", True), (2, "50", "50", True)]
    assert prices(quotes[:2], 0, 5) == [(0, "50", "50", True), (1, "50", "0.5", False)], "while it is pending"


def test_a_real_crash_of_both_markets_counts_as_soon_as_the_second_says_so():
    quotes = [quote(A, 0, "50"), quote(B, 0.1, "51"), quote(A, 1, "20"), quote(B, 1.1, "21")]
    assert prices(quotes, 0.5, 5) == [(0.5, "51", "51", True), (1.1, "21", "21", True)]


def test_a_dip_of_both_markets_that_lasts_one_tick_is_a_low():
    quotes = [
        quote(A, 0, "50"), quote(B, 0.1, "51"), quote(A, 1, "20"), quote(B, 1.1, "21"),
        quote(A, 2, "50"), quote(B, 2.1, "51"),
    ]  # fmt: skip
    found = points(quotes, dict.fromkeys((A, B), at(1000)), 0.5, 5, ON)
    lows = [(low.at, str(low.price)) for low in timeline.successive_lows(found)]
    assert lows[0] == (at(1.1), "21")


def test_a_crash_of_one_market_alone_counts_with_its_second_quote_once_the_other_is_silent():
    quotes = [quote(A, 0, "50"), quote(A, 1, "20"), quote(A, 2, "20")]
    assert prices(quotes, 0, 5) == [(0, "50", "50", True), (2, "20", "20", True)]


def test_markets_that_jump_apart_both_count_and_lend_by_the_lower():
    quotes = [
        quote(A, 0, "50"), quote(B, 0, "50"), quote(A, 1, "20"), quote(B, 1, "200"), quote(A, 2, "20"),
        quote(B, 2, "200"),
    ]  # fmt: skip
    (point,) = points(quotes, {}, 2, 2, ON)
    assert (point.price, point.cautious.price, point.disputed, point.suspect) == (200, 20, True, ())


def test_markets_more_than_a_quarter_apart_are_in_dispute():
    for higher, disputed in (("62.5", False), ("62.51", True)):
        (point,) = points([quote(A, 0, "50"), quote(B, 0, higher)], {}, 0, 0, ON)
        assert (point.disputed, str(point.price)) == (disputed, higher)
        assert str(point.cautious.price) == ("50" if disputed else higher)


def test_a_suspect_market_counts_again_when_the_other_is_silent():
    quotes = [quote(A, 0, "31"), quote(B, 0, "31"), *(quote(A, sent, "5000") for sent in range(1, 100))]
    table = prices(quotes, 0, 99)
    assert {row[1] for row in table if 2 <= row[0] < 60} == {"31"}
    assert {row[1] for row in table if row[0] >= 60} == {"5000"}


def test_a_market_is_no_longer_suspect_once_the_other_bears_it_out():
    jumped = [quote(A, 0, "50"), quote(B, 0, "50"), quote(A, 1, "20"), quote(A, 2, "20")]
    assert course(*jumped).effective[-1].alone is Alone.FALL
    assert course(*jumped, quote(B, 3, "22"), quote(A, 4, "20")).effective[-1].alone is Alone.NO
    assert course(*jumped, quote(B, 3, "50"), quote(A, 4, "20")).effective[-1].alone is Alone.FALL


def test_a_pending_jump_of_a_suspect_market_holds_nothing():
    quotes = [
        quote(A, 0, "31"), quote(A, 1, "5000"), quote(A, 2, "5000"), quote(B, 2, "31"), quote(A, 3, "0.5", time=3),
    ]  # fmt: skip
    (point,) = points(quotes, {}, 3, 3, ON)
    assert (point.price, point.cautious.price, point.may_claim) == (31, 31, True)


def test_a_dip_that_a_pending_jump_held_back_is_a_low_once_that_is_replaced():
    quotes = [quote(A, 0, "40"), quote(B, 0, "45"), quote(A, 1, "5000"), quote(B, 1.2, "30"), quote(B, 1.8, "45")]
    held = points(quotes, {}, 1, 2, ON)
    assert [str(low.price) for low in timeline.successive_lows(held)] == []
    lows = timeline.successive_lows(points([*quotes, quote(A, 2, "40")], {}, 1, 3, ON))
    assert (lows[0].at, lows[0].price) == (at(1.2), 40)


def test_a_rise_that_was_confirmed_claims_nobody_in_the_time_it_was_pending():
    quotes = [quote(A, 0, "40"), quote(B, 0, "45"), quote(A, 1, "80"), quote(B, 1.2, "38"), quote(B, 1.8, "78")]
    lows = timeline.successive_lows(points(quotes, {}, 1.1, 3, ON))
    assert [str(low.price) for low in lows] == ["80"]


def test_a_rise_that_its_market_alone_confirmed_hides_no_dip_of_the_other():
    quotes = [quote(A, 0, "40"), quote(B, 0, "45"), quote(A, 1, "80"), quote(B, 1.2, "30"), quote(A, 2, "80")]
    lows = timeline.successive_lows(points(quotes, {}, 1.1, 3, ON))
    assert [(low.at, str(low.price)) for low in lows] == [(at(2), "30")]


# Settings


def test_a_guard_that_is_off_or_watches_believes_everything():
    quotes = [quote(A, 0, "50"), quote(B, 0, "50"), quote(A, 1, "5000")]
    for mode in (Mode.OFF, Mode.WATCH):
        guards = (replace(DEFAULT, mode=mode),)
        assert effective(course(*quotes, guards=guards)) == [(0, "50"), (1, "5000")]
        assert prices(quotes, 2, 2, guards) == [(2, "5000", "5000", True)]
    assert jumps(course(*quotes, guards=rules.as_if_on(guards))) == [(1, "5000", None, False)]


def test_each_quote_is_judged_by_the_settings_of_its_time():
    tighter = Guard(at(5), Mode.ON, Decimal("0.2"), Decimal("0.1"), Decimal("0.25"), 2)
    quotes = [quote(A, 0, "50"), quote(A, 1, "35"), quote(A, 6, "50")]
    assert effective(course(*quotes, guards=(DEFAULT, tighter))) == [(0, "50"), (1, "35")]


def test_switching_the_guard_off_lets_a_pending_jump_through_from_then_on():
    off = replace(DEFAULT, holds_from=at(3), mode=Mode.OFF, id=2)
    found = course(quote(A, 0, "50"), quote(A, 1, "20"), guards=(DEFAULT, off))
    assert effective(found) == [(0, "50"), (3, "20")]
    again = replace(DEFAULT, holds_from=at(3), id=3)
    assert effective(course(quote(A, 0, "50"), quote(A, 1, "20"), guards=(DEFAULT, off, again))) == [(0, "50")]


def test_the_guard_of_an_instant_is_the_last_that_began():
    later = replace(DEFAULT, holds_from=at(0), id=2)
    assert rules.in_force((later,), at(0) - timedelta(microseconds=1)) is DEFAULT
    assert rules.in_force((later,), at(0)) is later
    assert rules.in_force((), at(0)) is DEFAULT
