import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from local.simulators.market.faults import LYING_KINDS, VARIANTS, EmptyError, Kind
from local.simulators.market.tests.orders import MOS_ESPA, refused, sell, sell_at_black_spire
from local.simulators.market.wordings import DOUBTFUL, PLAIN
from local.simulators.testing import RunningMarket, running_market


@pytest.fixture
def market() -> Iterator[RunningMarket]:
    with running_market("mos_espa", price="50") as running:
        yield running


@pytest.fixture
def other() -> Iterator[RunningMarket]:
    with running_market("black_spire_outpost", price="50") as running:
        yield running


TRADES_AND_REFUSES = (
    Kind.REFUSAL_DOUBTFUL_AFTER_TRADING,
    Kind.REFUSAL_WITH_FIGURES,
    Kind.REFUSAL_ODD_STATUS,
    Kind.REFUSAL_AFTER_TRADING,
)


@pytest.mark.parametrize("kind", TRADES_AND_REFUSES)
def test_a_refusal_after_trading_shows_the_trade_when_asked_again(
    market: RunningMarket, other: RunningMarket, kind: Kind
) -> None:
    for running in (market, other):
        running.next_faults([kind])
    assert refused(sell(market, "r1"))
    assert sell_at_black_spire(other, "r1").json()["error"]
    for running in (market, other):
        assert [row["units"] for row in running.orders()] == ["40"]
    assert sell(market, "r1").json()["price"] == "2000"
    assert sell_at_black_spire(other, "r1").json()["totalPrice"] == 2000
    assert market.counters() == {kind: 1, "replayed": 1}


@pytest.mark.parametrize("kind", [Kind.REFUSAL_DOUBTFUL, Kind.TRADED_NOTHING])
def test_what_trades_nothing_may_trade_when_asked_again(market: RunningMarket, kind: Kind) -> None:
    market.next_faults([kind])
    sell(market, "r1")
    assert market.orders() == []
    assert sell(market, "r1").json()["price"] == "2000"


def test_doubtful_refusals_have_the_schema_of_a_refusal_and_admit_a_doubt(market: RunningMarket) -> None:
    market.next_faults(["refusal_doubtful", "refusal_doubtful_after_trading", "refusal_doubtful:who knows?"])
    answers = [sell(market, name).json() for name in ("r1", "r2", "r3")]
    assert all(set(answer) == {"success", "reason", "requestId"} for answer in answers)
    assert {answers[0]["reason"], answers[1]["reason"]} <= set(DOUBTFUL)
    assert answers[2]["reason"] == "who knows?"
    assert not set(DOUBTFUL) & set(PLAIN)


@pytest.mark.parametrize(
    ("variant", "mos_espa", "black_spire_outpost"),
    [
        ("order_id", {"orderId"}, {"id"}),
        ("units", {"quantity"}, {"amount"}),
        ("proceeds", {"price"}, {"totalPrice"}),
        ("executions", {"executions"}, {"executions"}),
        ("whole_receipt", {"orderId", "quantity", "price", *MOS_ESPA}, {"id", "amount", "totalPrice", "side", "item"}),
    ],
)
def test_a_refusal_with_figures_carries_those_of_the_trade(
    market: RunningMarket, other: RunningMarket, variant: str, mos_espa: set[str], black_spire_outpost: set[str]
) -> None:
    for running in (market, other):
        running.next_faults([f"refusal_with_figures:{variant}", None])
    wrong, right = (sell(market, "r1").json() for _ in range(2))
    assert set(wrong) == {"success", "reason", "requestId"} | mos_espa
    assert wrong["success"] is False
    assert all(wrong[name] == right[name] for name in mos_espa & set(right))
    wrong, right = (sell_at_black_spire(other, "r1").json() for _ in range(2))
    assert set(wrong) == {"error", "requestId"} | black_spire_outpost
    assert all(wrong[name] == right[name] for name in black_spire_outpost & set(right))


@pytest.mark.parametrize("status", VARIANTS[Kind.REFUSAL_ODD_STATUS])
def test_a_refusal_may_come_under_a_status_that_does_not_fit(market: RunningMarket, status: str) -> None:
    market.next_faults([f"refusal_odd_status:{status}"])
    response = sell(market, "r1")
    assert response.status_code == int(status)
    assert refused(response) in PLAIN
    assert [row["deliveries"] for row in market.orders()] == [1]


def test_a_redirect_that_is_followed_sends_the_order_again(market: RunningMarket) -> None:
    market.next_faults(["refusal_odd_status:308"])
    order = {"requestId": "r1", **MOS_ESPA, "quantity": "40"}
    assert requests.post(f"{market.url}/orders", json=order, timeout=5).json()["success"] is True
    assert [row["deliveries"] for row in market.orders()] == [2]


def test_a_remembered_refusal_is_the_same_for_ever(market: RunningMarket) -> None:
    market.next_faults(["refusal_remembered"])
    answers = {sell(market, "r1").content for _ in range(5)}
    assert len(answers) == 1
    assert json.loads(answers.pop())["reason"] in PLAIN
    assert market.orders() == []
    assert market.counters() == {"refusal_remembered": 5}
    assert sell(market, "r2").json()["success"] is True


def test_a_market_may_be_asked_to_forget_its_refusals(market: RunningMarket) -> None:
    market.next_faults(["refusal_remembered"])
    sell(market, "r1")
    market.settings(forgetRefusals=True)
    assert sell(market, "r1").json()["success"] is True


@pytest.mark.parametrize("kind", [Kind.REFUSAL_REMEMBERED, Kind.TRADED_NOTHING])
def test_a_market_that_has_traded_does_not_say_for_ever_that_it_has_not(market: RunningMarket, kind: Kind) -> None:
    market.next_faults([None, kind])
    first = sell(market, "r1")
    assert sell(market, "r1").content == first.content
    assert sell(market, "r1").content == first.content


def test_nothing_may_be_traded_with_success(market: RunningMarket, other: RunningMarket) -> None:
    for running in (market, other):
        running.next_faults(["traded_nothing"])
    answer = sell(market, "r1").json()
    assert (answer["success"], answer["quantity"], answer["price"]) == (True, "0", "0")
    assert answer["orderId"]
    answer = sell_at_black_spire(other, "r1").json()
    assert (answer["amount"], answer["totalPrice"]) == (0, 0)
    assert market.orders() == other.orders() == []


@pytest.mark.parametrize("variant", EmptyError)
def test_a_success_may_have_an_error_that_says_nothing(
    market: RunningMarket, other: RunningMarket, variant: EmptyError
) -> None:
    value, name = variant.value.split("_")
    for running in (market, other):
        running.next_faults([f"success_with_empty_error:{variant}", None])
    for send in (lambda: sell(market, "r1").json(), lambda: sell_at_black_spire(other, "r1").json()):
        odd, plain = send(), send()
        assert odd == plain | {name: {"empty": "", "null": None, "false": False}[value]}


def test_a_success_may_have_fields_that_nobody_knows(market: RunningMarket) -> None:
    market.next_faults(["success_with_unknown_fields", None])
    odd, plain = (sell(market, "r1").json() for _ in range(2))
    assert plain.items() <= odd.items()
    assert len(odd) > len(plain) + 3


@pytest.mark.parametrize(
    ("fault", "total"),
    [
        ("price_for_total:unit_price", "50"),
        ("price_for_total:multiplied_twice", "80000"),
        ("absurd_proceeds:tiny", "0.00000001"),
        ("absurd_proceeds:huge", "1000000000000000"),
    ],
)
def test_a_wrong_total_is_reported_and_the_right_one_is_traded(market: RunningMarket, fault: str, total: str) -> None:
    market.next_faults([fault])
    assert sell(market, "r1").json()["price"] == total
    assert market.orders()[0]["proceeds"] == "2000"
    assert sell(market, "r1").json()["price"] == "2000"


def test_cookies_that_come_back_make_a_request_too_large(market: RunningMarket) -> None:
    market.next_faults(["cookies"])
    order = {**MOS_ESPA, "quantity": "40"}
    with requests.Session() as session:
        first = session.post(f"{market.url}/orders", json={"requestId": "r1", **order}, timeout=5)
        assert first.json()["success"] is True
        assert len(first.cookies) == 10
        assert session.post(f"{market.url}/orders", json={"requestId": "r2", **order}, timeout=5).status_code == 431
    assert sell(market, "r3").json()["success"] is True
    assert [row["requestId"] for row in market.orders()] == ["r1", "r3"]
    assert market.counters() == {"cookies": 1, "headers_too_large": 1, "filled": 1}


def test_headers_of_eight_thousand_bytes_are_taken(market: RunningMarket) -> None:
    order = {"requestId": "r1", **MOS_ESPA, "quantity": "40"}
    headers = {"X-Filler": "x" * 7500}
    assert requests.post(f"{market.url}/orders", json=order, headers=headers, timeout=5).status_code == 200


LIES = [str(kind) for kind in LYING_KINDS]


def test_no_trade_is_hidden_behind_three_refusals_and_nothing_else() -> None:
    """Whoever believes three refusals from the first send on, and no fewer, sells nothing twice."""
    shares = {"refusal": "0.5", "refusal_after_trading": "0.2", "refusal_doubtful_after_trading": "0.2"}
    shares |= {"traded_nothing": "0.05"}
    hidden_behind_two = given_up = 0
    with running_market("mos_espa", price="50") as market, requests.Session() as session:
        market.settings(faultShares=shares)
        for number in range(150):
            order = {"requestId": f"r{number}", **MOS_ESPA, "quantity": "1"}
            for delivery in (1, 2, 3):
                answer = session.post(f"{market.url}/orders", json=order, timeout=5).json()
                if answer["success"] and answer["price"] != "0":
                    break
                traded = bool(market.orders(f"r{number}"))
                hidden_behind_two += delivery == 2 and traded
                assert delivery < 3 or not traded
            else:
                given_up += 1
    assert hidden_behind_two > 20
    assert given_up > 3


@pytest.mark.parametrize("name", ["mos_espa", "black_spire_outpost"])
def test_the_same_seed_tells_the_same_lies(name: str) -> None:
    def played() -> list[Any]:
        with running_market(name, price="50", seed=5) as market:
            market.settings(faultKinds=LIES, faultShare=Decimal("0.9"))
            for number in range(60):
                if name == "mos_espa":
                    sell(market, f"r{number % 30}")
                else:
                    sell_at_black_spire(market, f"r{number % 30}")
            return [(row["outcome"], row["traded"]) for row in market.deliveries()]

    assert played() == played()
