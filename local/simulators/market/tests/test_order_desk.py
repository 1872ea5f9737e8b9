import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import requests

from local.simulators.market.faults import Kind
from local.simulators.market.tests.orders import MOS_ESPA, refused, sell, sell_at_black_spire
from local.simulators.testing import RunningMarket, running_market


@pytest.fixture
def market() -> Iterator[RunningMarket]:
    with running_market("mos_espa", price="50") as running:
        yield running


def test_an_order_is_traded_and_logged(market: RunningMarket) -> None:
    body = sell(market, "r1", "40.5").json()
    assert (body["success"], body["quantity"], body["price"]) == (True, "40.5", "2025")
    (row,) = market.orders("r1")
    assert (row["units"], row["proceeds"], row["orderId"]) == ("40.5", "2025", body["orderId"])
    assert row["deliveries"] == 1


def test_black_spire_outpost_answers_in_json_numbers() -> None:
    with running_market("black_spire_outpost", price="50") as market:
        response = sell_at_black_spire(market, "r1", "0.00000001")
    assert '"amount": 0.00000001, "totalPrice": 0.0000005}' in response.text


def test_a_repeat_gets_the_same_answer_and_trades_nothing(market: RunningMarket) -> None:
    first = sell(market, "r1")
    assert sell(market, "r1").content == first.content
    assert [row["deliveries"] for row in market.orders()] == [2]
    assert market.counters() == {"filled": 1, "replayed": 1}


def test_other_content_under_the_same_request_id_is_refused_as_a_conflict(market: RunningMarket) -> None:
    sell(market, "r1", "40")
    assert "conflict" in refused(sell(market, "r1", "41"))
    assert [row["units"] for row in market.orders()] == ["40"]


def test_a_refused_request_is_forgotten_and_may_trade_later(market: RunningMarket) -> None:
    market.next_faults(["refusal"])
    assert refused(sell(market, "r1", "40"))
    assert market.orders() == []
    assert sell(market, "r1", "41").json()["quantity"] == "41"


def test_a_resend_of_a_traded_order_may_be_refused(market: RunningMarket) -> None:
    market.next_faults(["dropped_after_trading", "refusal"])
    with pytest.raises(requests.ConnectionError):
        sell(market, "r1")
    assert refused(sell(market, "r1"))
    assert sell(market, "r1").json()["success"] is True
    assert len(market.orders()) == 1
    assert market.counters()["refusal_of_a_traded_order"] == 1


def test_faults_can_be_programmed_for_every_order(market: RunningMarket) -> None:
    market.every_order_faults(["error_503", None])
    assert [sell(market, name).status_code for name in ("r1", "r2", "r1", "r2")] == [503, 503, 200, 200]


UNTRADED = [Kind.REFUSAL, Kind.REFUSAL_4XX, Kind.ERROR_429, Kind.ERROR_500, Kind.ERROR_503, Kind.BROKEN_JSON]


@pytest.mark.parametrize("kind", UNTRADED)
def test_a_fault_before_trading_trades_nothing(market: RunningMarket, kind: Kind) -> None:
    market.next_faults([kind])
    sell(market, "r1")
    assert market.orders() == []
    assert market.counters() == {kind: 1}


@pytest.mark.parametrize(
    "fault",
    [
        "error_500_after_trading",
        "slow:0.05",
        "slow_before_trading:0.05",
        "dripping:0.1",
        "broken_json_after_trading",
        "mismatch",
    ],
)
def test_a_fault_after_trading_trades_once(market: RunningMarket, fault: str) -> None:
    market.next_faults([fault])
    sell(market, "r1")
    assert sell(market, "r1").json()["price"] == "2000"
    assert [row["proceeds"] for row in market.orders()] == ["2000"]


def test_a_connection_dropped_before_trading_trades_nothing(market: RunningMarket) -> None:
    market.next_faults(["dropped_before_trading"])
    with pytest.raises(requests.ConnectionError):
        sell(market, "r1")
    assert market.orders() == []


def test_refusals_come_with_200_or_422_and_errors_with_their_status(market: RunningMarket) -> None:
    market.next_faults(UNTRADED)
    assert [sell(market, "r1").status_code for _ in UNTRADED] == [200, 422, 429, 500, 503, 200]


def test_broken_json_cannot_be_read(market: RunningMarket) -> None:
    market.next_faults(["broken_json", "broken_json_after_trading"])
    for _ in range(2):
        with pytest.raises(requests.JSONDecodeError):
            sell(market, "r1").json()


def test_a_mismatch_reports_wrongly_what_was_traded_correctly(market: RunningMarket) -> None:
    market.next_faults(["mismatch:more_than_ordered"])
    assert sell(market, "r1", "40").json()["quantity"] == "80"
    assert [row["units"] for row in market.orders()] == ["40"]


def test_a_market_trades_even_when_the_caller_is_gone(market: RunningMarket) -> None:
    market.next_faults(["slow_before_trading:3"])
    with pytest.raises(requests.ReadTimeout):
        sell(market, "r1", timeout=0.1)
    assert market.orders() == []
    deadline = time.monotonic() + 20
    while not market.orders() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(market.orders()) == 1


def test_a_dripping_answer_outlasts_a_time_out_per_read(market: RunningMarket) -> None:
    market.next_faults(["dripping:1"])
    started = time.monotonic()
    assert sell(market, "r1", timeout=0.5).json()["success"] is True
    assert time.monotonic() - started > 0.9


def test_a_market_that_is_down_drops_orders_and_still_answers_the_test(market: RunningMarket) -> None:
    market.set_down(True)
    with pytest.raises(requests.ConnectionError):
        sell(market, "r1")
    assert market.orders() == []
    market.set_down(False)
    assert sell(market, "r1").status_code == 200


@pytest.mark.parametrize("changed", [{"quantity": 40}, {"limit": "50"}, {"quantity": "40.0"}])
def test_a_malformed_order_is_refused_with_400(market: RunningMarket, changed: dict[str, object]) -> None:
    order = {"requestId": "r1", **MOS_ESPA, "quantity": "40", **changed}
    response = requests.post(f"{market.url}/orders", json=order, timeout=5)
    assert response.status_code == 400
    assert refused(response)
    assert market.counters() == {"malformed": 1}


def test_an_order_that_is_not_declared_json_is_refused(market: RunningMarket) -> None:
    order = json.dumps({"requestId": "r1", **MOS_ESPA, "quantity": "40"})
    assert requests.post(f"{market.url}/orders", data=order, timeout=5).status_code == 400


def test_one_request_sent_by_many_at_once_trades_once(market: RunningMarket) -> None:
    barrier = threading.Barrier(8)

    def send() -> bytes:
        barrier.wait()
        return sell(market, "r1").content

    with ThreadPoolExecutor(8) as pool:
        answers = {future.result() for future in [pool.submit(send) for _ in range(8)]}
    assert len(answers) == 1
    assert [row["deliveries"] for row in market.orders()] == [8]


def test_a_third_of_requests_fails_by_default_and_none_trades_twice() -> None:
    with running_market("mos_espa", fault_share=Decimal("0.3"), slow_seconds=(0, 0.01)) as market:
        failed = 0
        with requests.Session() as session:
            for number in range(300):
                order = {"requestId": f"r{number}", **MOS_ESPA, "quantity": "1"}
                try:
                    response = session.post(f"{market.url}/orders", json=order, timeout=5)
                    failed += response.status_code != 200 or not response.json().get("success")
                except requests.RequestException:
                    failed += 1
        rows = market.orders()
    # Slow answers and mismatches count as faults there, and not here.
    assert 0.1 < failed / 300 < 0.4
    assert len({row["requestId"] for row in rows}) == len(rows)
