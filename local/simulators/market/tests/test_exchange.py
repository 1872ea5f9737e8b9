from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from local.simulators.market.exchange import ConflictError, Exchange, NothingToTradeError
from local.simulators.market.mos_espa import MosEspa
from local.simulators.market.scenario import Scenario, ScenarioPrices
from local.simulators.market.script import ScriptedPrices, read_script
from local.simulators.market.wire import Order


class Clock:
    """Two clocks that stand still until they are set."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.instant = datetime(2026, 1, 1, tzinfo=UTC)

    def steady(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.instant


@pytest.fixture
def clock() -> Clock:
    return Clock()


def calm(clock: Clock, partial_share: str = "0") -> Exchange:
    prices = ScenarioPrices(Scenario.CALM, Decimal(50), Random(7))
    return Exchange(
        MosEspa(),
        prices,
        Random(7),
        steady_clock=clock.steady,
        partial_share=Decimal(partial_share),
        now=clock.now,
    )


def scripted(clock: Clock, price: str) -> Exchange:
    return Exchange(MosEspa(), ScriptedPrices(read_script(price)), Random(7), steady_clock=clock.steady, now=clock.now)


def test_an_order_trades_at_the_published_level_of_its_quantity(clock: Clock) -> None:
    for depth in (1, 10, 50, 100):
        exchange = calm(clock)
        published = exchange.price_event().levels.sell[depth]
        trade = exchange.execute(Order("r1", Decimal(depth)))
        assert trade.units == depth
        assert abs(trade.proceeds / depth - published) < Decimal("1e-7")


def test_the_same_request_trades_once_and_gets_the_same_trade(clock: Clock) -> None:
    exchange = calm(clock)
    first = exchange.execute(Order("r1", Decimal(40)))
    exchange.tick(Decimal(1))
    assert exchange.execute(Order("r1", Decimal("40.0"))) is first
    assert len(exchange.trades) == 1


def test_the_same_request_with_other_content_is_a_conflict(clock: Clock) -> None:
    exchange = calm(clock)
    exchange.execute(Order("r1", Decimal(40)))
    with pytest.raises(ConflictError):
        exchange.execute(Order("r1", Decimal(41)))
    assert len(exchange.trades) == 1


def test_selling_lowers_the_price_for_a_while(clock: Clock) -> None:
    exchange = calm(clock)
    before = exchange.price_event().levels.sell
    exchange.execute(Order("r1", Decimal(100)))
    pressed = exchange.price_event().levels.sell
    clock.seconds = 60
    after = exchange.price_event().levels.sell
    assert all(pressed[depth] < price for depth, price in before.items())
    assert after == before


def test_an_order_beyond_the_depth_is_filled_in_part(clock: Clock) -> None:
    trade = calm(clock).execute(Order("r1", Decimal(500)))
    assert (trade.ordered, trade.units) == (Decimal(500), Decimal(120))


def test_a_market_may_choose_to_fill_a_part(clock: Clock) -> None:
    exchange = calm(clock, partial_share="0.1")
    trades = [exchange.execute(Order(f"r{number}", Decimal(10))) for number in range(500)]
    kinds = Counter(trade.units < trade.ordered for trade in trades)
    assert 25 < kinds[True] < 80
    assert all(0 < trade.units <= trade.ordered for trade in trades)


def test_a_scripted_price_is_not_moved_by_trades(clock: Clock) -> None:
    exchange = scripted(clock, "31.25")
    assert exchange.execute(Order("r1", Decimal(40))).proceeds == 1250
    assert exchange.execute(Order("r2", Decimal(40))).proceeds == 1250


def test_a_lie_is_published_for_its_time_and_orders_trade_at_the_true_price(clock: Clock) -> None:
    exchange = scripted(clock, "31.25")
    exchange.lie(read_script("5000")[0], Decimal(10))
    clock.seconds = 9.9
    assert set(exchange.price_event().levels.sell.values()) == {Decimal(5000)}
    assert exchange.execute(Order("r1", Decimal(40))).proceeds == 1250
    clock.seconds = 10.0
    assert set(exchange.price_event().levels.sell.values()) == {Decimal("31.25")}


def test_an_order_that_would_fetch_nothing_leaves_nothing_behind(clock: Clock) -> None:
    exchange = scripted(clock, "0.00000001")
    with pytest.raises(NothingToTradeError):
        exchange.execute(Order("r1", Decimal("0.00000001")))
    assert exchange.trades == {}


def test_market_times_only_go_forward(clock: Clock) -> None:
    exchange = calm(clock)
    times = [exchange.price_event().body["timestamp"] for _ in range(2)]
    clock.instant -= timedelta(hours=1)
    times.append(exchange.price_event().body["timestamp"])
    assert times == sorted(set(times))
