"""Quotes, bodies and messages for tests."""

import itertools
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pricing import guard, timeline
from pricing.aside import Aside, Interval
from pricing.guard import Course, Guard, Guards, Mode
from pricing.markets import Market
from pricing.quotes import Freshness, Level, PricePoint, Quote

T0 = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
FRESHNESS = Freshness(max_age=timedelta(seconds=60), max_lag=timedelta(seconds=120))
MOS_ESPA, BLACK_SPIRE = Market.MOS_ESPA, Market.BLACK_SPIRE_OUTPOST

NO_GUARD = (Guard(T0 - timedelta(days=1), Mode.OFF, Decimal("0.4"), Decimal("0.1"), Decimal("0.25")),)

_numbers = itertools.count(1)


def at(seconds: float) -> datetime:
    """The instant so many seconds after T0."""
    return T0 + timedelta(seconds=seconds)


def quote(market: Market, sent: float, price: str, *, time: int | None = None, **fields: Any) -> Quote:
    """A quote of one level, sent so many seconds after T0; its own time follows unless given."""
    number = next(_numbers)
    own = Decimal(str(sent)) if time is None else Decimal(time)
    return Quote(
        **{
            "id": number,
            "market": market,
            "market_time": own,
            "sent_at": at(sent),
            "sell": (Level(Decimal(1), Decimal(price)),),
            "reference": f"r{number}",
            **fields,
        }
    )


def courses(quotes: Iterable[Quote], guards: Guards = NO_GUARD, aside: Aside = ()) -> dict[Market, Course]:
    """The courses of all markets; without a guard unless one is given."""
    return guard.judged(quotes, guards, FRESHNESS, aside=aside)


def is_aside(market: Market, start: float, end: float) -> Interval:
    """A market's prices are set aside, from and to so many seconds after T0."""
    return Interval(market, at(start), at(end))


def points(
    quotes: Iterable[Quote],
    drained_to: Mapping[Market, datetime | None],
    start: float,
    end: float,
    guards: Guards = NO_GUARD,
    quantity: int = 1,
    aside: Aside = (),
) -> tuple[PricePoint, ...]:
    """The timeline, from and to so many seconds after T0."""
    return timeline.timeline(
        courses(quotes, guards, aside),
        guards,
        drained_to=drained_to,
        freshness=FRESHNESS,
        reference_quantity=Decimal(quantity),
        start=at(start),
        end=at(end),
        aside=aside,
    )


def latest(
    quotes: Iterable[Quote], drained_to: Mapping[Market, datetime | None], start: float, end: float
) -> PricePoint:
    """The last point of this timeline, without a guard."""
    return timeline.latest(
        courses(quotes, NO_GUARD),
        NO_GUARD,
        drained_to=drained_to,
        freshness=FRESHNESS,
        reference_quantity=Decimal(1),
        start=at(start),
        end=at(end),
    )


def seen(points: tuple[PricePoint, ...]) -> list[tuple[float, str | None]]:
    """Points as (seconds after T0, price)."""
    return [((p.at - T0).total_seconds(), None if p.price is None else str(p.price)) for p in points]


def mos_espa_event(event_id: str = "e1", price: str = "50", **changes: Any) -> dict[str, Any]:
    """A valid Mos Espa event."""
    return {
        "eventId": event_id,
        "asset": "BESKAR",
        "currency": "GC",
        "timestamp": "0004-05-06T07:08:09Z",
        "levels": [{"quantity": 1, "buy": "51", "sell": price}],
        **changes,
    }


def black_spire_event(price: float = 50, **changes: Any) -> dict[str, Any]:
    """A valid Black Spire Outpost event."""
    return {
        "item": "STEEL:MANDALORIAN",
        "time": 1_000_000,
        "buy": [{"amount": 1, "price": 51}],
        "sell": [{"amount": 1, "price": price}],
        **changes,
    }


def message(body: Any, sent: datetime | None = T0, message_id: str | None = None) -> dict[str, Any]:
    """A message as SQS gives it."""
    return {
        "MessageId": message_id or f"m{next(_numbers)}",
        "Body": body if isinstance(body, str) else json.dumps(body),
        "Attributes": {"SentTimestamp": str(round(sent.timestamp() * 1000))} if sent else {},
    }
