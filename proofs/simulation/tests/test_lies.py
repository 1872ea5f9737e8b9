"""The lies of the simulated markets are such as the rules are made for."""

import json
from decimal import Decimal

import pytest

from liquidation.verdicts import Refused
from pricing.markets import Market
from proofs.simulation import lies
from proofs.simulation.lies import Trade
from proofs.simulation.markets import SimulatedMarket
from proofs.simulation.world import World

ORDERS = {
    Market.MOS_ESPA: {
        "requestId": "r", "type": "market", "side": "sell", "asset": "BESKAR", "currency": "GC", "quantity": "40"
    },
    Market.BLACK_SPIRE_OUTPOST: {"requestId": "r", "side": "SELL", "item": "STEEL:MANDALORIAN", "amount": 40},
}  # fmt: skip


def liar(market, seed, **chances):
    """A market in a world of these faults only, each with its chance."""
    world = World(seed)
    world.faults.rates = dict.fromkeys(world.faults.rates, 0.0)
    for name, chance in chances.items():
        kind, _, fault = name.partition("_")
        world.faults.rates[f"{kind}.{fault}"] = chance
    return SimulatedMarket(world, market)


def said(market, order=None):
    """The status and the body of one answer."""
    answer = market.post(json.dumps(order or ORDERS[market.market]), 10)
    return answer.status, json.loads(answer.body)


def refuses(body):
    return body.get("success") is False or "error" in body


@pytest.mark.parametrize("market", list(Market))
def test_no_trade_is_hidden_behind_three_refusals_and_nothing_else(market):
    hidden = 0
    for seed in range(200):
        simulated = liar(market, seed, market_refuses=0.3, liar_refuses_after_trading=0.6, market_refuses_resend=0.6)
        refused = [refuses(said(simulated)[1]) for _ in range(2)]
        hidden += all(refused) and bool(simulated.trades)
        assert not all([*refused, refuses(said(simulated)[1])]) or not simulated.trades
    assert hidden > 20


def test_words_admit_a_doubt_or_none():
    assert all(Refused(words).is_clean for words in lies.PLAIN)
    assert not any(Refused(words).is_clean for words in lies.DOUBTS)


@pytest.mark.parametrize("market", list(Market))
def test_a_doubt_may_be_repeated_for_ever(market):
    simulated = liar(market, 1, liar_refuses_in_doubt=1.0)
    assert {said(simulated)[1][lies_in(market)] for _ in range(5)} <= set(lies.DOUBTS)
    simulated._trade(ORDERS[market])
    assert {said(simulated)[1][lies_in(market)] for _ in range(5)} <= set(lies.DOUBTS)


def lies_in(market):
    """Where it says why it refuses."""
    return "reason" if market is Market.MOS_ESPA else "error"


@pytest.mark.parametrize("market", list(Market))
def test_a_remembered_refusal_is_said_until_the_calm(market):
    simulated = liar(market, 1, market_refuses=1.0, liar_remembers_a_refusal=1.0)
    first = said(simulated)[1]
    simulated.world.faults.rates["market.refuses"] = 0.0
    assert [said(simulated)[1] for _ in range(5)] == [first] * 5
    assert not simulated.trades
    simulated.world.faults.calm = True
    assert not refuses(said(simulated)[1])


@pytest.mark.parametrize("market", list(Market))
def test_a_refusal_with_figures_says_what_was_traded(market):
    keys = set()
    for seed in range(40):
        simulated = liar(market, seed, liar_refuses_with_figures=1.0)
        body = said(simulated)[1]
        assert refuses(body)
        keys |= set(body)
        assert simulated.trades["r"].units == 40
    assert {key for known in lies.FIGURES[market] for key in known} <= keys


@pytest.mark.parametrize("market", list(Market))
def test_success_of_nothing_trades_nothing(market):
    simulated = liar(market, 1, liar_trades_nothing=1.0)
    body = said(simulated)[1]
    assert not refuses(body)
    assert {str(body.get(key)) for key in ("quantity", "price", "amount", "totalPrice")} == {"0", "None"}
    assert not simulated.trades


def test_a_total_is_wrong_out_of_all_proportion_or_right():
    trade = Trade(Decimal(40), Decimal(2000), "1")
    assert lies.would_be_clearly_wrong(trade)
    reported = {how: lies.wrong(how, trade, ordered=Decimal(40)).proceeds for how in lies.WRONG_TOTALS}
    assert reported == {
        "unit price": 50,
        "total of totals": 80000,
        "next to nothing": Decimal("1e-8"),
        "all the credits there are": Decimal(10) ** 15,
    }
    for small in (Trade(Decimal(11), Decimal(550), "2"), Trade(Decimal(40), Decimal(9), "3")):
        assert not lies.would_be_clearly_wrong(small)
