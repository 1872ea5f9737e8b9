"""For tests: a best price that they set, and failpoints that they arm."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from coruscant import failpoints
from pricing import best_price
from pricing.markets import Market
from pricing.quotes import Level, PricePoint, Quote

PRICED_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def price_point(price: str | Decimal | None, at: datetime = PRICED_AT) -> PricePoint:
    """A best price, with the quote behind it; None = unknown."""
    if price is None:
        return PricePoint(at=at, price=None, quotes=())
    value = Decimal(price)
    quote = Quote(
        id=1,
        market=Market.MOS_ESPA,
        market_time=Decimal(1),
        sent_at=at,
        sell=(Level(quantity=Decimal(1), unit_price=value),),
        reference="event-1",
    )
    return PricePoint(at=at, price=value, quotes=(quote,))


@pytest.fixture
def set_best_price(monkeypatch) -> Callable[..., PricePoint]:
    """Set the best price: `set_best_price("50")`. Unknown until it is set."""

    read = best_price.current_with_row

    def set_price(price: str | None, at: datetime = PRICED_AT) -> PricePoint:
        point = price_point(price, at)
        monkeypatch.setattr(best_price, "current", lambda: point)
        monkeypatch.setattr(best_price, "current_uncached", lambda: point)
        monkeypatch.setattr(best_price, "current_with_row", lambda query, values: (point, read(query, values)[1]))
        return point

    set_price(None)
    return set_price


@pytest.fixture
def arm() -> Iterator[Callable[[Callable[[str], None] | None], None]]:
    """Call a hook at every failpoint: `arm(hook)`. It is removed after the test."""
    yield failpoints.arm
    failpoints.arm(None)
