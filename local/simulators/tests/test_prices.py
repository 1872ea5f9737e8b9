from decimal import Decimal
from random import Random
from typing import Any

import pytest

from local.simulators.exact import BadJsonError
from local.simulators.market.price_faults import deliveries
from local.simulators.market.scenario import LOWEST_PRICE, Scenario, ScenarioPrices
from local.simulators.market.script import ScriptedPrices, read_script

START = Decimal(50)
SECOND = Decimal(1)


def path(scenario: Scenario, seed: int, ticks: int = 120) -> list[Decimal]:
    prices = ScenarioPrices(scenario, START, Random(seed))
    return [prices.next(SECOND) for _ in range(ticks)]


@pytest.mark.parametrize("scenario", [Scenario.CALM, Scenario.VOLATILE, Scenario.CRASH])
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


def test_a_script_goes_step_by_step_and_its_last_step_stays() -> None:
    script = ScriptedPrices(read_script(["50", {"sell": {"1": "40", "100": Decimal("39.5")}, "ticks": Decimal(2)}]))
    played = [script.next(SECOND).sell for _ in range(5)]
    assert played[0] == dict.fromkeys((1, 10, 50, 100), Decimal(50))
    assert played[1:] == [{1: Decimal(40), 100: Decimal("39.5")}] * 4


def test_one_price_alone_is_a_script() -> None:
    assert read_script(Decimal("31.25"))[0].sell[100] == Decimal("31.25")


@pytest.mark.parametrize(
    "script",
    [
        [],
        None,
        {},
        "fifty",
        "NaN",
        "0",
        "-1",
        True,
        {"sell": {}},
        {"sell": {"2": "50"}},
        {"sell": "50", "bogus": 1},
        {"sell": "50", "ticks": Decimal("1.5")},
        {"sell": {"1": "50", "10": "4"}},
        "0.000000001",
    ],
)
def test_a_script_that_is_not_valid_is_refused(script: Any) -> None:
    with pytest.raises(BadJsonError):
        read_script(script)


def test_a_price_event_usually_comes_once() -> None:
    assert deliveries("now", "before", Decimal(0), Random(1)) == ["now"]


def test_a_spoiled_delivery_still_brings_the_event_first() -> None:
    random = Random(1)
    came = [deliveries("now", "before", Decimal(1), random) for _ in range(60)]
    assert all(bodies[0] == "now" and len(bodies) == 2 for bodies in came)
    assert {"now", "before", "null"} <= {bodies[1] for bodies in came}
