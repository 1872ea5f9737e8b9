from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from local.simulators.market.faults import Kind
from local.simulators.market.tests.orders import sell
from local.simulators.testing import RunningMarket, running_market


@pytest.fixture
def market() -> Iterator[RunningMarket]:
    with running_market("mos_espa", price=None, paused=True, interval_seconds=Decimal("0.02")) as running:
        yield running


def middle_price(market: RunningMarket) -> Decimal:
    return Decimal(market.state()["middlePrice"])


def wait_for_price(market: RunningMarket, low: int, high: int) -> None:
    for _ in range(500):
        if low < middle_price(market) < high:
            return
    pytest.fail(f"the price stays at {middle_price(market)}")


def test_a_crash_and_a_recovery_on_demand(market: RunningMarket) -> None:
    market.settings(crash={"to": "0.5", "over": "0.1"})
    wait_for_price(market, 24, 26)
    market.settings(recover={"over": 0})
    wait_for_price(market, 49, 51)
    market.settings(move={"to": "80", "over": 0})
    wait_for_price(market, 78, 82)
    market.settings(crash=True)


def test_a_fixed_price_holds_until_a_scenario_is_asked_for(market: RunningMarket) -> None:
    answer = market.set_price("31.25")
    assert [level["sell"] for level in answer["event"]["levels"]] == ["31.25"] * 4
    assert sell(market, "r1", "40").json()["price"] == "1250"
    assert market.state()["scenario"] == "script"
    with pytest.raises(ValueError, match="script"):
        market.settings(crash=True)
    assert market.settings(scenario="calm")["scenario"] == "calm"
    wait_for_price(market, 49, 51)


def test_a_market_lies_for_as_long_as_it_is_told_to(market: RunningMarket) -> None:
    market.set_price("31.25")
    market.settings(lie={"price": "5000", "for": 60})
    assert [level["sell"] for level in market.publish()["event"]["levels"]] == ["5000"] * 4
    market.settings(lie={"price": "5000", "for": 0})
    assert [level["sell"] for level in market.publish()["event"]["levels"]] == ["31.25"] * 4


def test_levels_of_a_script_are_published_exactly(market: RunningMarket) -> None:
    market.set_price({"sell": {"1": "50", "10": "49.9", "50": "49", "100": "47.5"}})
    assert sell(market, "r1", "100").json()["price"] == "4750"
    assert sell(market, "r2", "10").json()["price"] == "499"


def test_publishing_returns_the_event_even_without_an_endpoint(market: RunningMarket) -> None:
    answer = market.publish()
    assert answer["messageId"] is None
    assert answer["event"] == market.state()["lastEvent"]


def test_faults_can_be_set_by_share_and_kind(market: RunningMarket) -> None:
    market.set_faults("1", ["error_503"])
    assert sell(market, "r1").status_code == 503
    market.settings(faultKinds=["error_429"], faultShare="1")
    assert sell(market, "r1").status_code == 429
    market.settings(faultShares={"error_500": "1"})
    assert sell(market, "r1").status_code == 500
    market.set_faults("0", list(Kind))
    assert sell(market, "r1").status_code == 200


def test_orders_come_in_pages(market: RunningMarket) -> None:
    for number in range(3):
        sell(market, f"r{number}")
    page = market._call("GET", "orders?after=1&limit=1")
    assert [row["requestId"] for row in page["orders"]] == ["r1"]
    assert page["next"] == 2
    assert page["counters"] == {"filled": 3}


def test_deliveries_show_the_outcome_of_each_request(market: RunningMarket) -> None:
    market.next_faults(["refusal"])
    sell(market, "r1")
    sell(market, "r1")
    sell(market, "r2")
    answer = [(row["outcome"], row["traded"]) for row in market.deliveries("r1")]
    assert answer == [("refusal", False), ("filled", True)]


@pytest.mark.parametrize(
    "settings",
    [
        {"bogus": 1},
        {"faultShare": 2},
        {"faultShare": True},
        {"faultKinds": ["bogus"]},
        {"faultKinds": []},
        {"faultShares": {"refusal": "0.6", "slow": "0.6"}},
        {"nextFaults": "refusal"},
        {"nextFaults": ["bogus"]},
        {"scenario": "bogus"},
        {"scenario": "script"},
        {"crash": {"to": 0}},
        {"crash": {"bogus": 1}},
        {"move": {}},
        {"lie": {"price": "5000"}},
        {"lie": {"for": 10}},
        {"down": 1},
        {"interval": 0},
        {"slowSeconds": [2, 1]},
        {"latencyMs": -1},
    ],
)
def test_a_setting_that_is_not_valid_is_refused(market: RunningMarket, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        market.settings(**settings)


def test_all_other_settings_are_taken(market: RunningMarket) -> None:
    market.settings(
        slowSeconds=[Decimal("0.1"), 1],
        latencyMs=1,
        partialShare="0",
        priceFaultShare="0",
        otherItemShare="0",
        impactPerUnit="0.00001",
        paused=True,
        interval="0.5",
    )
    assert sell(market, "r1").status_code == 200
