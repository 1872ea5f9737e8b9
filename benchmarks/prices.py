"""Prices as the markets publish them, and a past of them for a bank."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from coruscant import clock
from pricing.feeds import FEEDS
from pricing.ingest import poll
from pricing.ingest.record import record_batch
from pricing.markets import Market

#: The price at which all loans of a bank are safe, and the one that breaches those near the edge: GC a unit.
SAFE, CRASHED = "50", "29.375"
#: Longer than an evaluation looks back: two markets, a quote a second.
PAST_SECONDS = 400

_numbers = itertools.count(1)


def body(market: Market, price: str, at: datetime) -> str:
    """A price event of a market, of four levels."""
    number, own = next(_numbers), at.timestamp()
    if market is Market.MOS_ESPA:
        levels = [{"quantity": quantity, "buy": price, "sell": price} for quantity in (1, 10, 50, 100)]
        event: dict[str, Any] = {"eventId": f"event-{own}-{number}", "asset": "BESKAR", "currency": "GC"}
        event |= {"timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"), "levels": levels}
    else:
        offers = [{"amount": quantity, "price": float(price)} for quantity in (1, 10, 50, 100)]
        event = {"item": "STEEL:MANDALORIAN", "time": own, "buy": offers, "sell": offers}
    return json.dumps(event)


def message(market: Market, price: str) -> dict[str, Any]:
    """A message of a market's queue, as SQS would return it now."""
    now = clock.now()
    return {
        "MessageId": f"benchmark-{now.timestamp()}-{next(_numbers)}",
        "Body": body(market, price, now),
        "Attributes": {"SentTimestamp": str(int(now.timestamp() * 1000))},
    }


def record(price: str, *markets: Market) -> None:
    """Record one new quote of each of these markets, or of all, as a poller does. It is not evaluated yet."""
    for market in markets or tuple(Market):
        now = clock.now()
        record_batch(FEEDS[market], [message(market, price)], now, now)
        poll.announce(quotes=True)


def record_past(price: str, seconds: int = PAST_SECONDS) -> None:
    """Record a past in which both markets sent a quote a second, all evaluated by now, and both queues are drained."""
    levels = json.dumps([[str(quantity), price] for quantity in (1, 10, 50, 100)])
    with connection.cursor() as cursor:
        for market in FEEDS:
            cursor.execute(
                "INSERT INTO pricing_pricequote (market, message_id, event_id, market_time, sent_at, received_at, sell,"
                " buy, too_late, evaluated_at, effective_from) SELECT %s, 'past-' || n, NULL, extract(epoch FROM sent),"
                " sent, sent, %s, %s, false, sent, sent FROM (SELECT n, now() - interval '1 second' * n AS sent"
                " FROM generate_series(1, %s) n) past",
                [market.value, levels, levels, seconds],
            )
            cursor.execute(
                "INSERT INTO pricing_feed (market, drained_to, polled_at, received, quotes, duplicates, skipped,"
                " rejected, pruned) VALUES (%s, now(), now(), %s, %s, 0, 0, 0, 0)",
                [market.value, seconds, seconds],
            )
        cursor.execute("ANALYZE pricing_pricequote")
