from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from local.simulators.market.order_book import Levels, OrderBook, RestingOrder, TradeImpact
from local.simulators.market.server import MARKETS

BOOK = OrderBook(
    bids=(
        RestingOrder(Decimal(10), Decimal(50)),
        RestingOrder(Decimal(40), Decimal(49)),
        RestingOrder(Decimal(50), Decimal(48)),
    ),
    asks=(RestingOrder(Decimal(100), Decimal(51)),),
)


def maker_books() -> st.SearchStrategy[OrderBook]:
    makers = st.sampled_from([wire.makers for wire in MARKETS.values()])
    middle = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10_000), places=4)
    return st.builds(lambda who, at, seed: who.quote(at, Random(seed)), makers, middle, st.integers())


def test_a_sale_walks_down_the_bids() -> None:
    fill = BOOK.sell(Decimal("15.5"))
    assert (fill.units, fill.proceeds) == (Decimal("15.5"), Decimal("769.5"))


def test_a_sale_beyond_the_depth_is_filled_in_part() -> None:
    fill = BOOK.sell(Decimal(130))
    assert (fill.units, fill.proceeds) == (Decimal(100), Decimal(4860))


def test_published_levels_are_what_a_sale_fetches_per_unit() -> None:
    assert BOOK.levels().sell == {1: Decimal(50), 10: Decimal(50), 50: Decimal("49.2"), 100: Decimal("48.6")}


def test_pressure_lowers_sale_and_levels_alike() -> None:
    pressure = Decimal("0.01")
    assert BOOK.sell(Decimal(100), pressure).proceeds == Decimal("4811.4")
    assert BOOK.levels(pressure).sell[100] == Decimal("48.114")


def test_a_book_at_exact_levels_trades_at_those_levels() -> None:
    sell = {1: Decimal("31.25"), 10: Decimal("31.1"), 50: Decimal("30.7"), 100: Decimal("29.99")}
    book = OrderBook.at_levels(Levels(sell, sell))
    assert book.levels().sell == sell
    assert all(book.sell(Decimal(depth)).proceeds == depth * price for depth, price in sell.items())
    assert book.sell(Decimal(101)).units == 100


def test_a_quantity_the_book_cannot_fill_has_no_level() -> None:
    shallow = OrderBook.at_levels(Levels({10: Decimal(5)}, {10: Decimal(6)}))
    assert set(shallow.levels().sell) == {1, 10}


@given(maker_books(), st.decimals(min_value=Decimal("0.00000001"), max_value=Decimal(100), places=8))
def test_a_sale_fetches_a_unit_price_between_the_levels_around_it(book: OrderBook, units: Decimal) -> None:
    levels = book.levels().sell
    unit_price = book.sell(units).proceeds / units
    shallower = [price for depth, price in levels.items() if depth <= units]
    deeper = [price for depth, price in levels.items() if depth >= units]
    slack = Decimal("0.0001")
    assert not shallower or unit_price <= shallower[-1] + slack
    assert unit_price >= deeper[0] - slack


def test_impact_wears_off_by_half_lives_and_has_a_limit() -> None:
    impact = TradeImpact(per_unit=Decimal("0.001"), half_life_seconds=Decimal(2), limit=Decimal("0.15"))
    impact.add(Decimal(100), Decimal(0))
    assert [impact.at(Decimal(second)) for second in (0, 2, 4)] == [Decimal("0.1"), Decimal("0.05"), Decimal("0.025")]
    impact.add(Decimal(1000), Decimal(4))
    assert impact.at(Decimal(4)) == Decimal("0.15")
    assert impact.at(Decimal(1000)) == 0
