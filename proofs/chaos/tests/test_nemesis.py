"""What counts as a broken promise, and what the markets' logs must not hold."""

from decimal import Decimal

from local.demo.simulators import Trade
from proofs.chaos.books import disagreements, oversold
from proofs.chaos.nemesis import broken_promises
from proofs.chaos.recovery import Aspect
from proofs.chaos.report import Played, not_played, table


def test_recovery_within_a_minute_keeps_the_promise_and_a_second_more_breaks_it():
    assert broken_promises(Played(("web-killed",), {Aspect.API: 60.0}), 60) == []
    (sentence,) = broken_promises(Played(("web-killed",), {Aspect.API: 61.0}), 60)
    assert sentence == "web-killed: API took 61.0 s to recover, 60 s are promised"


def test_events_have_half_a_minute_once_sns_is_back():
    late = {Aspect.EVENTS: 31.0, Aspect.SALES: 31.0}
    assert broken_promises(Played(("aws-fails",), late), 30) == [
        "aws-fails: events took 31.0 s to recover, 30 s are promised"
    ]
    assert broken_promises(Played(("web-killed",), late), 60) == []


def test_what_never_came_back_breaks_a_promise():
    assert broken_promises(Played(("a", "b"), {}, [Aspect.PRICES]), 60) == [
        "a and b: prices had not recovered within 120 s"
    ]


def test_more_traded_than_claimed_is_found_over_all_orders_of_a_liquidation():
    limits = {"a": (1, Decimal(10)), "b": (1, Decimal(10)), "c": (2, Decimal(5))}
    assert oversold({"a": Decimal(6), "b": Decimal(4), "c": Decimal(5)}, limits) == []
    assert oversold({"a": Decimal(6), "b": Decimal(5)}, limits) == ["liquidation 1: 11 units traded, 10 claimed"]


def test_a_trade_that_nobody_ordered_is_found():
    assert oversold({"x": Decimal(1)}, {}) == ["x was never ordered"]


def test_statements_and_books_are_compared_both_ways_to_the_last_digit():
    trade, other = Trade("mos_espa", Decimal(8), Decimal(240)), Trade("mos_espa", Decimal(8), Decimal("240.1"))
    assert disagreements([("a", trade), ("b", trade)], {"a": trade}, pending={"b"}) == []
    assert disagreements([("a", trade)], {}, pending=()) == ["a is stated, and not booked"]
    assert disagreements([], {"a": trade}, pending=()) == ["a is booked, and no market states it"]
    assert disagreements([("a", trade), ("a", trade)], {"a": trade}, pending=()) == ["a is stated twice"]
    (sentence,) = disagreements([("a", trade)], {"a": other}, pending=())
    assert sentence.startswith("a: stated ")


def test_the_table_counts_how_often_and_keeps_the_longest():
    rounds = [
        Played(("web-killed",), {Aspect.API: 2.0}),
        Played(("web-killed", "beat-killed"), {Aspect.API: 5.5, Aspect.SALES: 7.25}),
    ]
    made = table(rounds)
    columns = {column.header: list(column.cells) for column in made.columns}
    assert columns["fault"] == ["web-killed", "beat-killed"]
    assert (columns["alone"], columns["paired"]) == (["1", "0"], ["1", "1"])
    assert columns["all"] == ["7.2", "7.2"]
    assert columns[Aspect.API] == ["5.5", "5.5"]
    assert not_played(["web-killed", "aws-hangs"], rounds) == ["aws-hangs"]
