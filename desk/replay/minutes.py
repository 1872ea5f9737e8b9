"""The minutes of an interval: when loans were evaluated in each, and between which prices their quotes lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from desk.replay.evaluations import Rules
from pricing.markets import Market

MINUTE: Final = timedelta(minutes=1)
#: Quotes are evaluated within seconds; those of a longer outage of evaluations are left out.
LONGEST_WAIT: Final = timedelta(days=1)

# The lowest and the highest price of the quotes sent in each minute: of the levels around the reference quantity.
_BOUNDS = """
    SELECT date_trunc('minute', sent_at), min(price), max(price)
    FROM pricing_pricequote, LATERAL (
        (SELECT (level ->> 1)::numeric AS price FROM jsonb_array_elements(sell) AS level
         WHERE (level ->> 0)::numeric <= %(quantity)s ORDER BY (level ->> 0)::numeric DESC LIMIT 1)
        UNION ALL
        (SELECT (level ->> 1)::numeric FROM jsonb_array_elements(sell) AS level
         WHERE (level ->> 0)::numeric >= %(quantity)s ORDER BY (level ->> 0)::numeric LIMIT 1)) AS levels
    WHERE market = ANY(%(markets)s) AND sent_at >= %(since)s AND sent_at < %(until)s GROUP BY 1
"""
# In which minutes loans were evaluated by new quotes, when last in each, and the earliest of these quotes.
_MINUTES = """
    SELECT date_trunc('minute', evaluated_at), max(evaluated_at), min(sent_at) FROM pricing_pricequote
    WHERE market = ANY(%(markets)s) AND sent_at >= %(since)s AND sent_at < %(until)s AND evaluated_at < %(until)s
    AND NOT too_late GROUP BY 1
"""

#: The lowest price that may call or sell a loan, and the highest that may clear a call.
Bounds = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Minute:
    """A minute of the interval: the last evaluation before it, its earliest quote, and the prices that bound it."""

    begins: datetime
    evaluated_to: datetime
    earliest: datetime
    lowest: Decimal
    highest: Decimal


def read(start: datetime, end: datetime, rules: Rules) -> list[Minute | None]:
    """Every minute of [start, end]; None where no quote can have held."""
    since, first_minute = start - LONGEST_WAIT, minute_of(start)
    parameters: dict[str, Any] = {"markets": list(Market), "until": end}
    evaluated = {row[0]: row[1:] for row in rows(_MINUTES, since=since, **parameters)}
    first = min([start, *(sent for minute, (_last, sent) in evaluated.items() if minute >= first_minute)])
    # A window begins one reach before its quotes at the earliest, and what held then was sent one reach before.
    lookback = 3 * (rules.freshness.max_age + rules.freshness.max_lag)
    parameters |= {"since": first - lookback - MINUTE, "quantity": rules.reference_quantity}
    bounds = {row[0]: row[1:] for row in rows(_BOUNDS, **parameters)}
    evaluated_to = max((last for minute, (last, _sent) in evaluated.items() if minute < first_minute), default=since)
    found: list[Minute | None] = []
    for number in range((end - first_minute) // MINUTE + 1):
        begins = first_minute + number * MINUTE
        last, earliest = evaluated.get(begins, (evaluated_to, begins))
        earliest = min(earliest, begins)
        steps = range((begins - minute_of(earliest - lookback)) // MINUTE + 1)
        within = [bounds[at] for step in steps if (at := begins - step * MINUTE) in bounds]
        both = bounds_of_all(within)
        found.append(Minute(begins, evaluated_to, earliest, *both) if both else None)
        evaluated_to = last
    return found


def bounds_of_all(every: Sequence[Bounds | None]) -> Bounds | None:
    """The bounds of several minutes; None if none of them has any."""
    known = [one for one in every if one is not None]
    return (min(lowest for lowest, _ in known), max(highest for _, highest in known)) if known else None


def minute_of(instant: datetime) -> datetime:
    """When the minute of an instant begins."""
    return instant.replace(second=0, microsecond=0)


def rows(query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """What a statement finds."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
