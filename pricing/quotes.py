"""A market's quotes, how long each one lives, and the best price made of them: frozen values and pure functions.

A market's quotes are ordered by when our queue received them (`sent_at`). Which of them count is for `pricing.guard`
to say, and what the best price was over time for `pricing.timeline`. Prices are in GC a unit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from coruscant import money
from pricing.markets import Market

if TYPE_CHECKING:
    from pricing.guard import Guard


@dataclass(frozen=True, slots=True)
class Level:
    """The effective price of one unit (GC) when `quantity` units are traded at once."""

    quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """One price event of one market.

    `market_time` is the market's own time in seconds, comparable within one market only. `sent_at` is when our queue
    received the event. `sell` ascends by quantity. `reference` is the market's event id, or else the queue's message
    id. A quote is `too_late` if it was already older than the maximum age when we received it.
    """

    id: int
    market: Market
    market_time: Decimal
    sent_at: datetime
    sell: tuple[Level, ...]
    reference: str
    too_late: bool = False


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long quotes live, counted from `sent_at`.

    A quote expires after `max_age`. Without a successor it holds until then, or for `max_lag` while its queue is not
    known to be drained; see `holds_until`.
    """

    max_age: timedelta
    max_lag: timedelta


@dataclass(frozen=True, slots=True)
class PricePoint:
    """The best price (GC a unit) from the instant `at` on; None if it is unknown.

    `quotes` are the live quotes that count, the best first. `until` is when the next point begins, or the end of the
    timeline for the last point. The guard adds the rest (docs/price-rules.md): `lower` is the price that activates
    loans and clears margin calls, if that is another one. `pending` are jumps that nothing had confirmed or replaced
    by the end of the timeline: until then no loan is claimed or called. `suspect` are live quotes that do not count.
    `confirmed_by` has an entry for each of `quotes`: what confirmed it, as `market:reference`, if it was a jump.
    """

    at: datetime
    price: Decimal | None
    quotes: tuple[Quote, ...]
    until: datetime | None = None
    lower: Decimal | None = None
    disputed: bool = False
    pending: tuple[Quote, ...] = ()
    suspect: tuple[Quote, ...] = ()
    confirmed_by: tuple[str, ...] = ()
    guard: "Guard | None" = None

    @property
    def known_price(self) -> Decimal:
        """The price. Raises ValueError if it is unknown."""
        if self.price is None:
            raise ValueError("the price is unknown")
        return self.price

    @property
    def may_claim(self) -> bool:
        """Whether loans may be claimed and called at this price: it is known, and no jump is pending."""
        return self.price is not None and not self.pending

    @property
    def cautious(self) -> "PricePoint":
        """This point at the price that activates loans and clears margin calls, and says what is still required."""
        return self if self.lower is None else replace(self, price=self.lower, lower=None)

    def cautious_for(self, quantity: Decimal) -> "PricePoint":
        """`cautious`, with the quote first whose price of so many units decides: it is the cause of what is done.

        A pending jump may be it, and is among `quotes` then.
        """
        if self.lower is None:
            return self
        confirmed_by = self.confirmed_by or ("",) * len(self.quotes)
        quotes = list(zip(self.quotes, confirmed_by, strict=True))
        waiting = [(jump, "") for jump in self.pending]
        deciding = [one for one in (*quotes, *waiting) if unit_price(one[0].sell, quantity) == self.lower][:1]
        ordered = [*deciding, *(one for one in quotes if one not in deciding)]
        return replace(
            self.cautious,
            quotes=tuple(quote for quote, _by in ordered),
            confirmed_by=tuple(by for _quote, by in ordered),
        )

    def divergence(self, quantity: Decimal) -> Decimal | None:
        """How far the live prices of so many units are apart, as a share of the lowest; None of fewer than two."""
        prices = [price for one in (*self.quotes, *self.suspect) if (price := unit_price(one.sell, quantity))]
        if len(prices) < 2:  # noqa: PLR2004
            return None
        with money.exact():
            return max(prices) / min(prices) - 1

    @property
    def applies_before(self) -> datetime:
        """The price applies to an active loan whose `prices_apply_from` is before this instant."""
        return self.until or self.at + timedelta(microseconds=1)

    @property
    def correlation_id(self) -> str:
        """The price event behind this price, as `market:reference` of its best quote; empty if it has none."""
        return name_of(self.quotes[0]) if self.quotes else ""


def name_of(quote: Quote) -> str:
    """A quote as it is named in logs and evidence: `market:reference`."""
    return f"{quote.market}:{quote.reference}"


def unit_price(curve: Sequence[Level], quantity: Decimal) -> Decimal | None:
    """The price of one unit when `quantity` units are traded: linear between levels, flat below the first.

    None for a quantity beyond the last level. `curve` ascends by quantity. A price between levels is rounded down to 24
    decimals.
    """
    if not curve or quantity > curve[-1].quantity:
        return None
    if quantity <= curve[0].quantity:
        return curve[0].unit_price
    for lower, upper in pairwise(curve):
        if quantity == upper.quantity:
            return upper.unit_price
        if quantity < upper.quantity:
            with money.exact():
                rise = (upper.unit_price - lower.unit_price) * (quantity - lower.quantity)
                between = lower.unit_price + rise / (upper.quantity - lower.quantity)
            return money.round_down(between, money.DECIMAL_PLACES)
    return None


def position(quote: Quote) -> tuple[datetime, Decimal, str, int]:
    """What orders quotes: when they were sent; of those sent at the same time, the market's own time."""
    return quote.sent_at, quote.market_time, quote.reference, quote.id


def in_order(quotes: Iterable[Quote]) -> list[Quote]:
    """Quotes in the order they were sent; those sent at the same time by the market's own time."""
    return sorted(quotes, key=position)


def expires_at(quote: Quote, freshness: Freshness) -> datetime:
    """When a quote reaches the maximum age."""
    return quote.sent_at + freshness.max_age


def holds_until(quote: Quote, drained_to: datetime | None, freshness: Freshness) -> datetime:
    """When a quote without a successor stops being the current quote.

    It expires at the maximum age if its queue is known to be drained past that instant (`drained_to`). Otherwise the
    successor may still be waiting in the queue, so the quote holds for `max_lag`. A quote that was too late always
    expires at the maximum age.
    """
    expiry = expires_at(quote, freshness)
    if quote.too_late or (drained_to is not None and drained_to >= expiry):
        return expiry
    return max(expiry, quote.sent_at + freshness.max_lag)
