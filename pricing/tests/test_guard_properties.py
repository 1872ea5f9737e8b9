"""The guard's result is the same for every order of the same messages, and needs no more history than its anchor."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from coruscant.tests.exactness import proof
from pricing import guard as rules
from pricing.guard import DEFAULT, Alone
from pricing.quotes import Level, expires_at, in_order, position
from pricing.tests.builders import BLACK_SPIRE, FRESHNESS, MOS_ESPA, at, is_aside, points, quote

ON = (DEFAULT,)
MARKETS = (MOS_ESPA, BLACK_SPIRE)


def build(market, sent, price, time, deep):
    levels = ((1, price), (100, price * deep))
    curve = tuple(Level(Decimal(quantity), Decimal(str(p))) for quantity, p in levels)
    return quote(market, sent, "1", time=time, sell=curve)


one_quote = st.builds(
    build,
    st.sampled_from(MARKETS),
    st.integers(0, 300),
    st.sampled_from([10, 20, 21, 31, 50, 51, 5000]),
    st.none() | st.integers(0, 300) | st.just(10**11),
    st.sampled_from([1, 1, 1, Decimal("0.5"), Decimal("0.1")]),
)
some = st.lists(one_quote, min_size=1, max_size=25)


intervals = st.lists(
    st.builds(
        lambda market, start, lasts: is_aside(market, start, start + lasts),
        st.sampled_from(MARKETS),
        st.integers(0, 300),
        st.integers(1, 200),
    ),
    max_size=2,
).map(tuple)


def judged(quotes, settled=None, aside=()):
    return rules.judged(quotes, ON, FRESHNESS, settled, aside)


def is_anchor(quote, before):
    """Whether it is effective whatever came before, as its market's quotes sent `before` it prove.

    Its predecessor says the same, and no quote that may be fresh has a later time of its own.
    """
    earlier = in_order(before)
    recent = [one for one in earlier if quote.sent_at < expires_at(one, FRESHNESS)]
    return (
        bool(earlier)
        and all(one.market_time <= quote.market_time for one in recent)
        and rules.repeats(quote, earlier[-1], DEFAULT)
    )


@proof(60)
@given(some, intervals, st.data())
def test_order_and_repetition_change_nothing(quotes, aside, data):
    again = data.draw(st.permutations(quotes + data.draw(st.lists(st.sampled_from(quotes)))))
    assert judged(again, aside=aside) == judged(quotes, aside=aside)
    drained = dict.fromkeys(MARKETS, at(500))
    assert points(again, drained, 0, 400, ON, aside=aside) == points(quotes, drained, 0, 400, ON, aside=aside)


@proof(100)
@given(some, intervals, st.data())
def test_what_came_before_an_effective_quote_decides_nothing_after_it(quotes, aside, data):
    """Given what was found of that quote, its market's earlier ones may be left out."""
    market = data.draw(st.sampled_from(sorted({one.market for one in quotes})))
    whole = judged(quotes, aside=aside)[market]
    settled = data.draw(st.sampled_from(whole.effective))
    kept = [one for one in quotes if one.market != market or position(one) >= position(settled.quote)]
    part = judged(kept, {market: settled}, aside)[market]
    index = whole.effective.index(settled)
    assert part.effective == whole.effective[index:]
    assert part.jumps == tuple(jump for jump in whole.jumps if position(jump.quote) > position(settled.quote))


@proof(100)
@given(some)
def test_what_came_before_an_anchor_decides_nothing_after_it(quotes):
    for market in sorted({one.market for one in quotes}):
        own = in_order(one for one in quotes if one.market == market)
        whole = judged(quotes)[market]
        for index, one in enumerate(own):
            if not is_anchor(one, own[:index]):
                continue
            others = [other for other in quotes if other.market != market]
            part = judged([*own[index:], *others])[market]
            found = [
                (effective.quote, effective.start) for effective in whole.effective if effective.start >= one.sent_at
            ]
            assert (one, one.sent_at) in found
            assert [(effective.quote, effective.start) for effective in part.effective] == found[
                found.index((one, one.sent_at)) :
            ]


@proof(60)
@given(some)
def test_every_effective_quote_is_no_jump_or_was_confirmed(quotes):
    for market, course in judged(quotes).items():
        before = None
        for one in course.effective:
            assert one.quote.market == market
            assert one.start >= one.quote.sent_at
            if before is None:
                before = one
                continue
            jumped = rules.differing(before.quote.sell, one.quote.sell, DEFAULT.jump)
            assert bool(jumped) <= bool(one.confirmed_by)
            assert one.start == one.quote.sent_at or one.confirmed_by
            before = one


@proof(100)
@given(some, intervals)
def test_a_market_counts_for_nothing_while_it_is_set_aside_and_the_past_stays(quotes, aside):
    drained = dict.fromkeys(MARKETS, at(500))
    for point in points(quotes, drained, 0, 400, ON, aside=aside):
        out = {one.market for one in aside if one.start <= point.at < one.end}
        assert not out & {one.market for one in (*point.quotes, *point.pending, *point.suspect)}
    first = min((int((one.start - at(0)).total_seconds()) for one in aside), default=400)
    if first:
        assert points(quotes, drained, 0, first - 1, ON, aside=aside) == points(quotes, drained, 0, first - 1, ON)


@proof(100)
@given(some, intervals)
def test_no_jump_is_confirmed_by_what_a_market_says_while_it_is_set_aside(quotes, aside):
    for course in judged(quotes, aside=aside).values():
        for jump in course.jumps:
            if jump.confirmed:
                instants = (jump.by.sent_at, jump.end)
                assert not any(
                    one.market == jump.by.market and one.start <= instant < one.end
                    for one in aside
                    for instant in instants
                )


@proof(60)
@given(some)
def test_a_market_alone_with_its_jump_was_confirmed_by_no_other(quotes):
    for market, course in judged([one for one in quotes if one.market == MOS_ESPA]).items():
        for one, jump in zip(course.effective, course.effective[1:], strict=False):
            if rules.differing(one.quote.sell, jump.quote.sell, DEFAULT.jump):
                assert jump.alone is not Alone.NO, market
