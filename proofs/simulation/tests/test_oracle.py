"""The oracle's own examples: it shares no code with what it applies."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from proofs.simulation.oracle import Heard, possible_prices, spans

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
    assert line(heard("a", 0, 50), heard("a", 5, 20, own_time=-1))[:2] == [(0, 50), (5, 50)]
    assert (61, 20) in line(heard("a", 0, 50), heard("a", 61, 20, own_time=-1))


def test_what_came_too_late_judges_nothing():
    (first, *_rest) = spans([heard("a", 0, 20, too_late=True)], {}, at(300))
    assert (first.price, first.applies) == (20, False)


def test_a_price_may_be_seen_as_long_as_nobody_knows_that_it_is_dead():
    quotes = [heard("a", 0, 50), heard("b", 10, 30)]
    assert possible_prices(quotes, at(20)) == {50}
    assert possible_prices(quotes, at(65)) == {50, 30}
    assert possible_prices(quotes, at(125)) == {30}
