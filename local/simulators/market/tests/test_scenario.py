from decimal import Decimal
from random import Random

import pytest

from local.simulators.market.scenario import LOWEST_PRICE, Scenario, ScenarioPrices

START = Decimal(50)
SECOND = Decimal(1)


def path(scenario: Scenario, seed: int, ticks: int = 120, elapsed: int = 0) -> list[Decimal]:
    prices = ScenarioPrices(scenario, START, Random(seed), elapsed=Decimal(elapsed))
    return [prices.next(SECOND) for _ in range(ticks)]


@pytest.mark.parametrize("scenario", [Scenario.CALM, Scenario.VOLATILE, Scenario.CRASH, Scenario.CYCLE])
def test_the_same_seed_gives_the_same_prices(scenario: Scenario) -> None:
    assert path(scenario, 7) == path(scenario, 7)
    assert path(scenario, 7) != path(scenario, 8)


def test_a_calm_market_stays_near_its_base_price() -> None:
    assert all(abs(price / START - 1) < Decimal("0.01") for price in path(Scenario.CALM, 7, 1000))


def test_a_volatile_market_moves_by_percents_and_stays_in_bounds() -> None:
    prices = path(Scenario.VOLATILE, 7, 1000)
    assert max(prices) / min(prices) > Decimal("1.05")
    assert all(Decimal("0.7") <= price / START <= Decimal("1.3") for price in prices)


def test_a_crash_halves_the_price_and_leaves_it_there() -> None:
    prices = path(Scenario.CRASH, 7)
    assert all(price > 48 for price in prices[:20])
    assert all(24 < price < 26 for price in prices[30:])


def test_cycles_halve_the_price_and_bring_it_back_every_minute() -> None:
    prices = path(Scenario.CYCLE, 7, 600)
    for begins in range(0, 600, 60):
        minute = prices[begins : begins + 60]
        assert all(48 < price < 52 for price in minute[:29])
        assert all(24 < price < 26 for price in minute[39:49])


@pytest.mark.parametrize("later", [1, 29, 35, 47, 59])
def test_a_market_that_starts_later_falls_at_the_same_instants_as_one_that_runs(later: int) -> None:
    running, started_later = path(Scenario.CYCLE, 7, 200)[later:], path(Scenario.CYCLE, 8, 200, elapsed=later)
    assert all(abs(one / other - 1) < Decimal("0.04") for one, other in zip(running, started_later, strict=False))


def test_a_market_that_is_asked_for_cycles_joins_them() -> None:
    prices = ScenarioPrices(Scenario.CALM, START, Random(7), elapsed=Decimal(100))
    prices.change(Scenario.CYCLE)
    assert 24 < prices.next(SECOND) < 26


def test_a_crash_on_demand_and_a_recovery() -> None:
    prices = ScenarioPrices(Scenario.CALM, START, Random(7))
    prices.crash(Decimal("0.6"), Decimal(4))
    assert [round(prices.next(SECOND)) for _ in range(5)] == [45, 40, 35, 30, 30]
    prices.recover(Decimal(2))
    assert [round(prices.next(SECOND)) for _ in range(3)] == [40, 50, 50]
    prices.move(Decimal(20), Decimal(0))
    assert round(prices.next(SECOND)) == 20


def test_a_price_never_reaches_zero() -> None:
    prices = ScenarioPrices(Scenario.VOLATILE, START, Random(7))
    prices.crash(Decimal("0.0000001"), Decimal(0))
    assert all(prices.next(SECOND) >= LOWEST_PRICE for _ in range(100))
