"""The exchange itself: a book, its prices, and what was traded. No HTTP and no SNS; clocks are parameters."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Protocol

from local.simulators.market.order_book import UNITS_STEP, ZERO, Levels, OrderBook, TradeImpact
from local.simulators.market.wire import Order, Trade, WireFormat

_MARKET_TIME_STEP = timedelta(milliseconds=1)


class Prices(Protocol):
    """Where an exchange's prices come from: a middle price for the makers, or exact levels."""

    def next(self, seconds: Decimal) -> Decimal | Levels:
        """Let so many seconds pass and return the price or the levels from then on."""


class ConflictError(Exception):
    """The requestId belongs to an order of other content that was traded."""


class NothingToTradeError(Exception):
    """The order would earn nothing at the present price."""


@dataclass(frozen=True, slots=True)
class PriceEvent:
    """Prices as published: the body, and the levels in it."""

    body: dict[str, Any]
    levels: Levels


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Exchange:
    """Makes prices and trades orders, each requestId once."""

    def __init__(
        self,
        wire: WireFormat,
        prices: Prices,
        random: Random,
        *,
        steady_clock: Callable[[], float],
        partial_share: Decimal = ZERO,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Open with a first price. `steady_clock` returns seconds and never goes back."""
        self.wire = wire
        self.partial_share = partial_share
        self.impact = TradeImpact()
        self.trades: dict[str, Trade] = {}
        self._prices = prices
        self._random = random
        self._steady_clock = steady_clock
        self._now = now
        self._market_time = datetime.min.replace(tzinfo=UTC)
        self._lie: Levels | None = None
        self._lies_until = ZERO
        self.tick(ZERO)

    def tick(self, seconds: Decimal) -> None:
        """Let so many seconds pass: the price moves and the makers renew their orders."""
        moved = self._prices.next(seconds)
        self._scripted = isinstance(moved, Levels)
        if isinstance(moved, Levels):
            self.middle = moved.sell[min(moved.sell)]
            self.book = OrderBook.at_levels(moved)
        else:
            self.middle = moved
            self.book = self.wire.makers.quote(moved, self._random)

    def change_prices(self, prices: Prices) -> None:
        """Take prices from another source, at once."""
        self._prices = prices
        self.tick(ZERO)

    def lie(self, levels: Levels, seconds: Decimal) -> None:
        """Publish these levels for so many seconds from now on, whatever the prices are. Orders trade as ever."""
        self._lie, self._lies_until = levels, self._seconds() + seconds

    def price_event(self) -> PriceEvent:
        """Return an event with the present prices, and a market time later than that of every event before."""
        if self._lie is not None and self._seconds() >= self._lies_until:
            self._lie = None
        levels = self._lie or self.book.levels(self._pressure())
        body = self.wire.price_event(levels, self._next_market_time(), str(uuid.uuid4()))
        return PriceEvent(body, levels)

    def other_event(self) -> dict[str, Any] | None:
        """Return a price event for something other than Beskar, where the market's topic carries that."""
        return self.wire.other_event(self.book.levels(), self._next_market_time())

    def execute(self, order: Order) -> Trade:
        """Trade an order, or return what it traded when it first came.

        Raises ConflictError, or NothingToTradeError; neither changes anything.
        """
        if known := self.find(order):
            return known
        asked = self._chosen_part(order.units)
        fill = self.book.sell(asked, self._pressure())
        if fill.units <= 0 or fill.proceeds <= 0:
            raise NothingToTradeError
        trade = Trade(
            order_id=str(uuid.uuid4()),
            request_id=order.request_id,
            ordered=order.units,
            units=fill.units,
            proceeds=fill.proceeds,
            traded_at=self._now(),
        )
        self.trades[order.request_id] = trade
        self.impact.add(fill.units, self._seconds())
        return trade

    def find(self, order: Order) -> Trade | None:
        """The trade of an order that came before; ConflictError where that had other content."""
        known = self.trades.get(order.request_id)
        if known is not None and known.ordered != order.units:
            raise ConflictError
        return known

    def _chosen_part(self, units: Decimal) -> Decimal:
        if not self.partial_share or Decimal(self._random.random()) >= self.partial_share:
            return units
        part = (units * self._random.randint(30, 90) / 100).quantize(UNITS_STEP)
        return part or units

    def _pressure(self) -> Decimal:
        # Tests rely on a scripted price: trading does not move it.
        return ZERO if self._scripted else self.impact.at(self._seconds())

    def _seconds(self) -> Decimal:
        return Decimal(f"{self._steady_clock():.6f}")

    def _next_market_time(self) -> datetime:
        now = self._now()
        now -= timedelta(microseconds=now.microsecond % 1000)
        self._market_time = max(now, self._market_time + _MARKET_TIME_STEP)
        return self._market_time
