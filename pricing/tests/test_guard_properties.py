"""The guard's result is the same for every order of the same messages, and needs no more history than its anchor."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from coruscant.tests.exactness import proof
from pricing import guard as rules
from pricing.guard import DEFAULT, Alone
from pricing.quotes import Level, in_order, position
from pricing.tests.builders import BLACK_SPIRE, FRESHNESS, MOS_ESPA, at, points, quote

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


def judged(quotes, settled=None):
    return rules.judged(quotes, ON, FRESHNESS, settled)


@proof(60)
@given(some, st.data())
def test_order_and_repetition_change_nothing(quotes, data):
    again = data.draw(st.permutations(quotes + data.draw(st.lists(st.sampled_from(quotes)))))
    assert judged(again) == judged(quotes)
    drained = dict.fromkeys(MARKETS, at(500))
    assert points(again, drained, 0, 400, ON) == points(quotes, drained, 0, 400, ON)


@proof(100)
@given(some, st.data())
def test_what_came_before_an_effective_quote_decides_nothing_after_it(quotes, data):
    """Given what was found of that quote, its market's earlier ones may be left out."""
    market = data.draw(st.sampled_from(sorted({one.market for one in quotes})))
    whole = judged(quotes)[market]
    settled = data.draw(st.sampled_from(whole.effective))
    kept = [one for one in quotes if one.market != market or position(one) >= position(settled.quote)]
    part = judged(kept, {market: settled})[market]
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
            if not rules.is_anchor(one, own[:index], DEFAULT, FRESHNESS):
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


@proof(60)
@given(some)
def test_a_market_alone_with_its_jump_was_confirmed_by_no_other(quotes):
    for market, course in judged([one for one in quotes if one.market == MOS_ESPA]).items():
        for one, jump in zip(course.effective, course.effective[1:], strict=False):
            if rules.differing(one.quote.sell, jump.quote.sell, DEFAULT.jump):
                assert jump.alone is not Alone.NO, market
