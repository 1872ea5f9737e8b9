"""The circuit breaker of each venue: where new orders may go. Open orders stay with their venue whatever it says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from liquidation.models import Venue
from pricing.markets import Market

#: A venue that fails a third of its orders, as usual, fails so often in a row once in 60,000: in the rush after a crash
#: of prices that is every quarter of an hour, where five in a row are every few seconds.
FAILURES_BEFORE_PAUSE = 10
PAUSE = timedelta(seconds=5)

_PAUSED = "SELECT market, paused_until FROM liquidation_venue WHERE paused_until IS NOT NULL"
_RESET_FAILURES = (
    "UPDATE liquidation_venue SET failures_in_row = 0, paused_until = NULL WHERE market = %s AND failures_in_row > 0"
)
_COUNT_FAILURE = """
    INSERT INTO liquidation_venue AS venue (market, failures_in_row, paused_until)
    VALUES (%(market)s, 1, CASE WHEN %(limit)s <= 1 THEN %(until)s::timestamptz END)
    ON CONFLICT (market) DO UPDATE SET
        failures_in_row = venue.failures_in_row + 1,
        paused_until = CASE WHEN venue.failures_in_row + 1 >= %(limit)s THEN %(until)s::timestamptz
                            ELSE venue.paused_until END
"""


@dataclass(frozen=True, slots=True)
class VenueStates:
    """Which venues take new orders now, which may be probed with one, and when the next paused one may be."""

    open: frozenset[Market]
    probeable: frozenset[Market]
    next_probe_at: datetime | None


def states(now: datetime) -> VenueStates:
    """The state of every venue."""
    with connection.cursor() as cursor:
        cursor.execute(_PAUSED)
        paused = {Market(market): until for market, until in cursor.fetchall()}
    waiting = [until for until in paused.values() if until > now]
    return VenueStates(
        open=frozenset(market for market in Market if market not in paused),
        probeable=frozenset(market for market, until in paused.items() if until <= now),
        next_probe_at=min(waiting, default=None),
    )


def take_probe(market: Market, now: datetime) -> bool:
    """Take the one probe of a paused venue; False when somebody else has it. Locks the venue's row to the commit."""
    return bool(Venue.objects.filter(market=market, paused_until__lte=now).update(paused_until=now + PAUSE))


def count_outcome(market: Market, *, failed: bool, now: datetime) -> None:
    """Count the outcome of one send; in autocommit, after it is booked. A lost count is harmless."""
    if not failed:
        with connection.cursor() as cursor:
            cursor.execute(_RESET_FAILURES, [market.value])
        return
    failure: dict[str, Any] = {"market": market.value, "limit": FAILURES_BEFORE_PAUSE, "until": now + PAUSE}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_FAILURE, failure)
