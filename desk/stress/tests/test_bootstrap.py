"""Falls drawn from recorded prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coruscant.tests.exactness import examples
from desk.stress.bootstrap import Recorded, Step, at_least, falls, steps

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def record(minutes, price, lowest=None):
    price = None if price is None else Decimal(price)
    return Recorded(NOON + timedelta(minutes=minutes), price, price if lowest is None else Decimal(lowest))


def test_a_step_is_from_the_last_price_of_a_period_to_the_last_and_the_lowest_of_the_next():
    records = [record(0, 40), record(0.5, 50), record(1, 30, 25), record(1.5, 40, 30), record(2, 60)]
    assert steps(records, MINUTE) == [
        Step(Decimal("0.8"), Decimal("0.5")), Step(Decimal("1.5"), Decimal("1.5")),
    ]  # fmt: skip


def test_gaps_and_unknown_prices_make_no_step():
    assert steps([record(0, 50), record(2, 25), record(3, None), record(4, 25), record(5, 25)], MINUTE) == [
        Step(Decimal(1), Decimal(1))
    ]
    assert steps([], MINUTE) == []


def test_steps_of_an_hour_are_made_of_all_its_minutes():
    records = [record(59, 50), record(60, 40, 40), record(90, 20, 20), record(119, 45)]
    assert steps(records, HOUR) == [Step(Decimal("0.9"), Decimal("0.4"))]


def test_a_fall_is_the_largest_from_the_beginning_wherever_it_ends():
    half, double = Step(Decimal("0.5"), Decimal("0.4")), Step(Decimal(2), Decimal(1))
    assert set(falls([half], horizon=3, paths=5, seed=1)) == {Decimal("0.9")}  # 0.5 · 0.5 · 0.4
    assert set(falls([double], horizon=3, paths=5, seed=1)) == {Decimal(0)}
    assert set(falls([half, double], horizon=1, paths=200, seed=1)) == {Decimal("0.6"), Decimal(0)}


def test_what_came_together_stays_together():
    """Each fall of the past was followed by a rise. Drawn one by one, two falls would meet."""
    pairs = [Step(Decimal("0.5"), Decimal("0.5")), Step(Decimal(2), Decimal(1))] * 32
    drawn = falls(pairs, horizon=4, paths=500, seed=1)
    assert max(drawn) <= Decimal("0.5")


def test_the_same_seed_draws_the_same_falls_in_ascending_order():
    recorded = [Step(Decimal(1) + Decimal(n % 7 - 3) / 100, Decimal("0.96")) for n in range(100)]
    first = falls(recorded, horizon=10, paths=50, seed=7)
    assert first == falls(recorded, horizon=10, paths=50, seed=7) == sorted(first)
    assert first != falls(recorded, horizon=10, paths=50, seed=8)


@pytest.mark.parametrize(("share", "value"), [("0.95", "0.95"), ("0.99", "0.99"), ("1", "0.999999"), ("0.001", "0.01")])
def test_the_smallest_that_so_many_do_not_exceed(share, value):
    hundred = [Decimal(n) / 100 for n in range(1, 101)]
    assert at_least(hundred, Decimal(share)) == Decimal(value)


@examples(50)
@given(st.lists(st.decimals("0.5", "1.5", places=3), min_size=1, max_size=30), st.integers(1, 40))
def test_falls_lie_between_nothing_and_everything(ratios, horizon):
    recorded = [Step(ratio, min(ratio, Decimal(1))) for ratio in ratios]
    assert all(0 <= fall < 1 for fall in falls(recorded, horizon=horizon, paths=5, seed=3))
