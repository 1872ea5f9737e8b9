from decimal import Decimal
from random import Random

from hypothesis import given

from local.simulators.market.makers import DEPTH_UNITS, Makers
from local.simulators.market.order_book import DEPTHS, OrderBook
from local.simulators.market.tests.test_order_book import maker_books


@given(maker_books())
def test_makers_always_offer_the_published_depth_and_deeper_is_worse(book: OrderBook) -> None:
    levels = book.levels()
    assert tuple(levels.sell) == tuple(levels.buy) == DEPTHS
    assert list(levels.sell.values()) == sorted(levels.sell.values(), reverse=True)
    assert list(levels.buy.values()) == sorted(levels.buy.values())
    assert book.sell(Decimal(1000)).units == DEPTH_UNITS


def test_the_same_seed_quotes_the_same_book() -> None:
    makers = Makers(half_spread=Decimal("0.001"), slope=Decimal("0.01"))
    assert makers.quote(Decimal(50), Random(3)) == makers.quote(Decimal(50), Random(3))
    assert makers.quote(Decimal(50), Random(3)) != makers.quote(Decimal(50), Random(4))
