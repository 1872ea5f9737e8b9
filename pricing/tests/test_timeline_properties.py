"""The best price over time, compared with a slow and literal reading of its rules."""

from hypothesis import given
from hypothesis import strategies as st

from coruscant.tests.exactness import proof
from pricing import timeline as rules
from pricing import window_start
from pricing.quotes import Quote, holds_until, in_order
from pricing.tests.builders import BLACK_SPIRE, FRESHNESS, MOS_ESPA, at, courses, latest, points, quote

MARKETS = (MOS_ESPA, BLACK_SPIRE)
END = 400


def build(market, sent, price, time, too_late=False) -> Quote:
    return quote(market, sent, str(price), time=time, too_late=too_late)


one_quote = st.builds(
    build,
    st.sampled_from(MARKETS),
    st.integers(0, END),
    st.integers(1, 9),
    st.one_of(st.integers(-20, 20), st.integers(0, END), st.just(10**11)),
    st.booleans(),
)
many = st.lists(one_quote, max_size=25)
drained = st.fixed_dictionaries({market: st.none() | st.builds(at, st.integers(0, 2 * END)) for market in MARKETS})


def timeline(quotes, drained_to, start=0, end=END):
    return points(quotes, drained_to, start, end)


def literal_price(quotes, drained_to, instant):
    """The best price at an instant, by the letter of the rules."""
    prices = []
    for market in MARKETS:
        effective = []
        for one in in_order([q for q in quotes if q.market == market and q.sent_at <= instant]):
            fresh = [p for p in effective if p.sent_at + FRESHNESS.max_age > one.sent_at]
            if all(p.market_time <= one.market_time for p in fresh):
                effective.append(one)
        if effective and instant < holds_until(effective[-1], drained_to[market], FRESHNESS):
            prices.append(effective[-1].sell[0].unit_price)
    return max(prices, default=None)


def facts(point):
    """Without the end, which differs where the timeline is cut off."""
    return (point.at, point.price, point.quotes)


def price_at(points, instant):
    return [p for p in points if p.at <= instant][-1].price


@proof(60)
@given(many, drained)
def test_every_instant_has_the_price_that_the_rules_say(quotes, drained_to):
    found = timeline(quotes, drained_to)
    for second in range(0, END + 1, 3):
        assert price_at(found, at(second)) == literal_price(quotes, drained_to, at(second))


@proof(50)
@given(many, drained, st.integers(0, END), st.integers(0, END))
def test_a_part_of_the_timeline_is_the_same_as_in_the_whole(quotes, drained_to, one, other):
    start, end = sorted((one, other))
    part, whole = timeline(quotes, drained_to, start, end), timeline(quotes, drained_to)
    assert part[0].at == at(start)
    assert [facts(p) for p in whole if at(start) < p.at <= at(end)] == [facts(p) for p in part[1:]]
    assert part[0].price == price_at(whole, at(start))


@proof(50)
@given(many, drained, st.integers(0, END), st.integers(0, END))
def test_the_last_point_is_the_same_without_the_others(quotes, drained_to, one, other):
    start, end = sorted((one, other))
    assert latest(quotes, drained_to, start, end) == timeline(quotes, drained_to, start, end)[-1]


@proof(50)
@given(many, drained, st.data())
def test_order_and_repetition_change_nothing(quotes, drained_to, data):
    again = data.draw(st.permutations(quotes + data.draw(st.lists(st.sampled_from(quotes)) if quotes else st.just([]))))
    assert timeline(again, drained_to) == timeline(quotes, drained_to)
    assert rules.successive_lows(timeline(again, drained_to)) == rules.successive_lows(timeline(quotes, drained_to))


@proof(50)
@given(many, drained)
def test_lows_are_for_each_instant_the_lowest_price_from_then_on(quotes, drained_to):
    found = timeline(quotes, drained_to)
    usable = [p for p in found if p.price is not None and not any(q.too_late for q in p.quotes)]
    lows = rules.successive_lows(found)
    assert sorted(lows, key=lambda p: (p.at, p.price)) == list(lows)
    for index, point in enumerate(usable):
        after = usable[index:]
        expected = min(p.price for p in after)
        first = next(low for low in lows if low.at >= point.at)
        assert first.price == expected
    assert len({low.price for low in lows}) == len(lows)


@proof(50)
@given(st.lists(one_quote, min_size=1, max_size=25), st.data())
def test_a_window_never_starts_after_an_unevaluated_quote(quotes, data):
    unevaluated = data.draw(st.lists(st.sampled_from(quotes), min_size=1, unique_by=lambda q: q.id))
    evaluated_to = data.draw(st.none() | st.builds(at, st.integers(0, END)))
    start = window_start.window_start(courses(quotes), unevaluated, FRESHNESS, evaluated_to)
    assert start <= min(q.sent_at for q in unevaluated)
    assert start == window_start.window_start(
        courses(data.draw(st.permutations(quotes))), unevaluated, FRESHNESS, evaluated_to
    )


arriving = st.lists(
    st.tuples(
        st.builds(build, st.sampled_from(MARKETS), st.integers(0, 150), st.integers(1, 9), st.just(0)),
        st.integers(0, 59),
    ),
    min_size=1,
    max_size=15,
)


@proof(100)
@given(arriving)
def test_however_late_quotes_arrive_evaluations_find_every_dip(arrivals):
    """Evaluations run on new quotes and every five seconds; a market is drained up to the first quote still missing."""
    evaluated, found = set(), []
    evaluated_to = None
    end = 220
    for now in range(end + 1):
        if now % 5 and not any(q.sent_at == at(now - late) for q, late in arrivals):
            continue
        here = [q for q, late in arrivals if q.sent_at <= at(now - late)]
        missing = [q for q, late in arrivals if q.sent_at > at(now - late)]
        drained_to = {m: min([at(now), *(q.sent_at for q in missing if q.market == m)]) for m in MARKETS}
        unevaluated = [q for q in here if q.id not in evaluated]
        start = at(now)
        if unevaluated:
            start = window_start.window_start(courses(here), unevaluated, FRESHNESS, evaluated_to)
        window = points(here, drained_to, (start - at(0)).total_seconds(), now)
        found += [low.price for low in rules.successive_lows(window) if low.price is not None]
        if unevaluated:
            evaluated |= {q.id for q in unevaluated}
            evaluated_to = at(now)
    # Up to the last new quote: a dip after it is found by the next evaluation only if it lasts until then.
    last_arrival = max(int((q.sent_at - at(0)).total_seconds()) + late for q, late in arrivals)
    truth = timeline([q for q, _ in arrivals], {m: at(end) for m in MARKETS}, 0, last_arrival)
    assert min(found) <= rules.successive_lows(truth)[0].price
