"""What the price now is computed from, and how it is read from the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pricing import quotes as rules
from pricing import records
from pricing.markets import Market
from pricing.quotes import PricePoint, Quote


@dataclass(frozen=True, slots=True)
class PriceInputs:
    """Each market's current quote, and how far each market's feed is drained (None: not known).

    A market that never sent a quote has none. `outranks_for` is how long each current quote has outranked later ones by
    its own time; None if that is not known, since the cache does not keep it.
    """

    quotes: tuple[Quote, ...]
    drained_to: dict[Market, datetime | None]
    outranks_for: dict[Market, timedelta] | None = None

    def price_at(self, now: datetime) -> PricePoint:
        """The best price at `now`; it lies where that price began."""
        points = rules.timeline(
            self.quotes,
            drained_to=self.drained_to,
            freshness=records.freshness(),
            reference_quantity=records.reference_quantity(),
            start=min([now, *(quote.sent_at for quote in self.quotes)]),
            end=now,
        )
        return points[-1]


def read(
    row_query: str | None = None, row_parameters: Mapping[str, Any] | None = None
) -> tuple[PriceInputs, datetime, tuple[Any, ...]]:
    """The inputs, the instant at which they were read, and the row of `row_query` (see `records.newest`).

    Quotes and `drained_to` are read in one statement: a `drained_to` read after the quotes could prove more than they
    show.
    """
    quotes, drained_to, outranks_for = [], {}, {}
    newest_quotes, now, row = records.newest(records.freshness().max_age, row_query, row_parameters)
    for newest in newest_quotes:
        drained_to[newest.market] = newest.drained_to
        if newest.quote is None:
            continue
        quote = newest.quote if newest.certainly_current else _current_quote(newest.quote)
        quotes.append(quote)
        outranks_for[newest.market] = newest.quote.sent_at - quote.sent_at
    return PriceInputs(tuple(quotes), drained_to, outranks_for), now, row


def _current_quote(newest: Quote) -> Quote:
    """The current quote of the market that has sent `newest` last: that one, or an earlier one that outranks it."""
    freshness = records.freshness()
    # Whether a quote is effective depends on those fresh when it was sent, and so on for these. Twice the maximum age
    # leaves room for a chain of them.
    quotes = records.without_levels(newest.market, newest.sent_at - 2 * freshness.max_age, newest.sent_at)
    current = rules.current_quotes(quotes, freshness).get(newest.market, newest)
    return records.with_levels(current) or newest
