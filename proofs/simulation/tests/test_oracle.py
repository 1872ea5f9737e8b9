"""The oracle's own examples: it shares no code with what it applies."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from proofs.simulation.oracle import Heard, Out, possible_prices, spans

T0 = datetime(2020, 1, 1, tzinfo=UTC)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def heard(market, seconds, price, *, own_time=None, too_late=False):
    own = Decimal(seconds) if own_time is None else Decimal(own_time)
    return Heard(market, Decimal(price), at(seconds), own, f"{market}-{seconds}", too_late)


def line(*quotes, drained=10_000, until=300):
    drained_to = {"a": at(drained), "b": at(drained)}
    return [
        ((span.start - T0).seconds, span.price if span.price is None else int(span.price))
        for span in spans(quotes, drained_to, at(until))
    ]


def test_the_better_market_is_the_price_until_it_dies():
    assert line(heard("a", 0, 50), heard("b", 10, 30)) == [(0, 50), (10, 50), (60, 30), (70, None)]


def test_a_silence_that_may_be_our_lag_counts_only_after_a_while():
    assert line(heard("a", 0, 50), heard("b", 10, 30), drained=0) == [(0, 50), (10, 50), (120, 30), (130, None)]


def test_an_older_own_time_takes_no_part_while_the_newer_quote_is_fresh():
    assert line(heard("a", 0, 50), heard("a", 5, 40, own_time=-1))[:2] == [(0, 50), (5, 50)]
    assert (61, 40) in line(heard("a", 0, 50), heard("a", 61, 40, own_time=-1))


def what(*quotes, until=300):
    """The spans as (second, price, price for activations, whether it applies)."""
    return [
        ((span.start - T0).seconds, span.price and int(span.price), span.cautious and int(span.cautious), span.applies)
        for span in spans(quotes, {"a": at(10_000), "b": at(10_000)}, at(until))
    ]


def test_a_jump_is_pending_until_another_quote_says_so():
    assert what(heard("a", 0, 50), heard("a", 5, 20), until=7)[-1] == (5, 50, 20, False)
    assert what(heard("a", 0, 50), heard("a", 5, 20), heard("a", 7, 20), until=9) == [
        (0, 50, 50, True), (5, 50, 50, True), (7, 20, 20, True)
    ]  # fmt: skip
    assert what(heard("a", 0, 50), heard("a", 5, 20), heard("b", 6, 21), until=9)[-1] == (6, 21, 21, True)
    assert what(heard("a", 0, 50), heard("a", 5, 20), heard("a", 7, 48), until=9)[-1] == (7, 48, 48, True)


def test_a_market_alone_with_its_jump_does_not_count_beside_another():
    lied = [heard("a", 0, 31), heard("b", 0, 31), heard("a", 5, 5000), heard("a", 6, 5000)]
    assert what(*lied, until=9)[-1] == (6, 31, 31, True)
    assert what(*lied, heard("b", 7, 4900), heard("a", 8, 5000), until=9)[-1] == (8, 5000, 5000, True)


def test_of_two_prices_far_apart_the_lower_lends():
    assert what(heard("a", 0, 50), heard("b", 0, 63), until=9)[-1] == (0, 63, 50, True)


def test_what_came_too_late_judges_nothing():
    (first, *_rest) = spans([heard("a", 0, 20, too_late=True)], {}, at(300))
    assert (first.price, first.applies) == (20, False)


def test_a_price_may_be_seen_as_long_as_nobody_knows_that_it_is_dead():
    quotes = [heard("a", 0, 50), heard("b", 10, 30)]
    assert possible_prices(quotes, at(20), at(300)) == {50}
    assert possible_prices(quotes, at(65), at(300)) == {50, 30}
    assert possible_prices(quotes, at(125), at(300)) == {30}


def test_a_market_that_is_out_counts_for_nothing_and_confirms_nothing():
    quotes = [heard("a", 0, 50), heard("b", 0, 49), heard("b", 5, 20), heard("a", 6, 20)]
    drained = {"a": at(10_000), "b": at(10_000)}

    def prices(*outs):
        return [
            ((span.start - T0).seconds, span.price and int(span.price), span.applies)
            for span in spans(quotes, drained, at(9), outs)
        ]

    assert prices()[-1] == (6, 20, True)
    out = Out("b", at(4), at(8))
    assert prices(out) == [(0, 50, True), (4, 50, True), (5, 50, True), (6, 50, False), (8, 50, False)]
    assert possible_prices(quotes, at(4), at(4), [out]) == {50}
    assert possible_prices(quotes[1:3], at(5), at(9), [out]) == set()
