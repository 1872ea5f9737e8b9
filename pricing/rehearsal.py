"""What a guard would have held in a past period, from the quotes that are still kept: for people who change it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection

from pricing import guard as guarding
from pricing import reading, records
from pricing.guard import Guard, Jump, Mode

# Quotes that differ from their predecessor, at any level, by more than a share; or that have other levels. Any jump
# follows one of these.
_SUSPECTS = """
    SELECT market, sent_at FROM (
        SELECT market, sent_at, sell, lag(sell) OVER (
            PARTITION BY market ORDER BY sent_at, market_time, coalesce(event_id, message_id) COLLATE "C", id
        ) AS before FROM pricing_pricequote WHERE sent_at >= %(since)s AND sent_at < %(until)s
    ) AS quote
    WHERE jsonb_array_length(sell) <> jsonb_array_length(before) OR EXISTS (
        SELECT FROM jsonb_array_elements(before) WITH ORDINALITY AS old(level, number)
        JOIN jsonb_array_elements(sell) WITH ORDINALITY AS new(level, number) USING (number)
        WHERE old.level ->> 0 <> new.level ->> 0
        OR abs((new.level ->> 1)::numeric - (old.level ->> 1)::numeric) > %(share)s * (old.level ->> 1)::numeric
    )
    ORDER BY sent_at LIMIT %(most)s
"""
#: Beyond so many, a guard would hold prices all the time, and what they were says nothing more.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The jumps that would have been held, in order; `complete` is false if there were too many to look at."""

    jumps: tuple[Jump, ...]
    complete: bool

    @property
    def unconfirmed(self) -> int:
        """How many nothing would have confirmed."""
        return sum(not jump.confirmed for jump in self.jumps)


def held(guard: Guard, since: datetime, until: datetime) -> Rehearsal:
    """What a guard with these settings, deciding, would have held of the quotes sent in [since, until).

    The first quote of each market in the period is taken as effective, and so is that after any reach without a jump.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SUSPECTS, {"since": since, "until": until, "share": guard.jump, "most": MOST + 1})
        suspects: list[datetime] = [sent_at for _market, sent_at in cursor.fetchall()]
    freshness = records.freshness()
    reach = freshness.max_age + freshness.max_lag
    deciding = (replace(guard, holds_from=since - reach, mode=Mode.ON),)
    found: list[Jump] = []
    for first, last in _episodes(suspects[:MOST], reach):
        quotes, aside = reading.between(first - reach, min(last + reach, until))
        for course in guarding.judged(quotes, deciding, freshness, aside=aside).values():
            found += [jump for jump in course.jumps if first <= jump.quote.sent_at < until]
    ordered = sorted(found, key=lambda jump: (jump.quote.sent_at, jump.quote.market))
    return Rehearsal(tuple(ordered), complete=len(suspects) <= MOST)


def _episodes(instants: Iterable[datetime], reach: timedelta) -> list[tuple[datetime, datetime]]:
    """The spans of ascending instants, of which no two are more than twice the reach apart."""
    found: list[tuple[datetime, datetime]] = []
    for instant in instants:
        if found and instant - found[-1][1] <= 2 * reach:
            found[-1] = (found[-1][0], instant)
        else:
            found.append((instant, instant))
    return found
