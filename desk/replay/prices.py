"""The evaluations of an interval, read from recorded quotes minute by minute, and only where they may matter.

One statement finds between which prices the quotes of each minute lie. The minutes that matter to some loan are then
evaluated anew, and a number of these are kept.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.models import Min

from coruscant.controls.models import Control, ControlKind
from coruscant.restores.models import Restore
from desk.replay.engine import Evaluation, Matters, Pause
from desk.replay.evaluations import Instant, Known, ReadFurtherBack, Rules, evaluations
from pricing import reading, records
from pricing.aside import Interval
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.quotes import Quote

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = 60
#: Quotes are evaluated within seconds; those of a longer outage of evaluations are left out.
_LONGEST_WAIT: Final = timedelta(days=1)
#: Minutes kept in memory.
_KEPT: Final = 500
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

# The lowest and the highest unit price, at any quantity, of the quotes sent in each minute.
_BOUNDS = """
    SELECT date_trunc('minute', sent_at), min(price), max(price)
    FROM pricing_pricequote, LATERAL (
        SELECT (level ->> 1)::numeric AS price FROM jsonb_array_elements(sell) AS level) AS levels
    WHERE sent_at >= %(since)s AND sent_at < %(until)s GROUP BY 1
"""
# In which minutes loans were evaluated by new quotes, when last in each, and the earliest of these quotes.
_MINUTES = """
    SELECT date_trunc('minute', evaluated_at), max(evaluated_at), min(sent_at) FROM pricing_pricequote
    WHERE sent_at >= %(since)s AND sent_at < %(until)s AND evaluated_at < %(until)s AND NOT too_late GROUP BY 1
"""
# Each price by which loans were called or claimed: when first; when that price was known at the latest, by the quote of
# its instant if there is one; and the last evaluation in between that was finished (NULL: there was none).
_ACTS = """
    SELECT step.at, coalesce((
        SELECT min(received_at) FROM pricing_pricequote q
        WHERE q.market = ANY(%(markets)s) AND q.sent_at = step.price_at AND received_at <= step.at
    ), step.at), (
        SELECT max(evaluated_at) FROM pricing_pricequote q
        WHERE q.market = ANY(%(markets)s) AND q.sent_at > step.price_at - %(reach)s AND q.sent_at <= step.at
        AND NOT too_late AND evaluated_at >= step.price_at AND evaluated_at <= step.at)
    FROM (
        SELECT price_at, min(opened_at) AS at FROM loans_margincall
        WHERE opened_at >= %(since)s AND opened_at < %(until)s GROUP BY 1
        UNION
        SELECT price_at, min(claimed_at) FROM liquidation_liquidation
        WHERE claimed_at >= %(since)s AND claimed_at < %(until)s GROUP BY 1
    ) AS step ORDER BY 1 DESC
"""


@dataclass(frozen=True, slots=True)
class _Minute:
    """A minute of the interval: the last evaluation before it, its earliest quote, and the prices that bound it."""

    begins: datetime
    evaluated_to: datetime
    earliest: datetime
    lowest: Decimal
    highest: Decimal


class RecordedPrices:
    """The evaluations in [start, end): the `Prices` of `engine`. Reads the database when it is asked."""

    def __init__(self, start: datetime, end: datetime) -> None:
        """Both are moved to the next evaluation, if there was one within the period in which beat has them done.

        What an evaluation did is dated some milliseconds after it: so no interval begins or ends in between.
        """
        self._period = timedelta(seconds=settings.RECOVERY_PERIOD_SECONDS)
        self.start, self.end = self._next_evaluation(start), self._next_evaluation(end)
        self.pauses, self._rules = _pauses(self.end), _rules()
        self._reach = self._rules.freshness.max_age + self._rules.freshness.max_lag
        self._finished, self._unfinished = self._read_acts()
        self._early = list(self._unfinished)
        self._minutes = self._read_minutes()
        self._hours = [_bounds(self._minutes[at : at + _HOUR]) for at in range(0, len(self._minutes), _HOUR)]
        self._evaluations: Callable[[int], Sequence[Evaluation]] = lru_cache(_KEPT)(self._evaluate)

    @property
    def lowest(self) -> Decimal | None:
        """No price was lower; None if there were no prices at all."""
        return min((one[0] for one in self._hours if one), default=None)

    def between(self, since: datetime, until: datetime, matters: Matters) -> Iterator[Evaluation]:
        """As `engine.Prices` has it."""
        since, until = max(since, self.start), min(until, self.end)
        number = max(self._number(since) - 1, 0)  # an evaluation changes loans somewhat after its own instant
        while number < len(self._minutes) and self._begins(number) < until:
            hour, minute = self._hours[number // _HOUR], self._minutes[number]
            if hour is None or not matters(*hour):
                number += _HOUR - number % _HOUR
                continue
            if minute is not None and matters(minute.lowest, minute.highest):
                yield from (one for one in self._evaluations(number) if since <= one.at < until)
            number += 1

    def careful_at(self, instant: datetime) -> Decimal | None:
        """As `engine.Prices` has it."""
        for number in range(min(self._number(instant), len(self._minutes) - 1), -1, -1):
            before = [one for one in self._evaluations(number) if one.at <= instant] if self._minutes[number] else []
            if before:
                return before[-1].careful.price if before[-1].careful else None
        return None

    def series(self, points: int) -> Iterator[tuple[datetime, Decimal]]:
        """The lowest best price in each of so many equal parts of the interval; of a part, its first minute at most."""
        part = max((self.end - self.start) / points, timedelta(seconds=1))
        begins = self.start
        while begins < self.end:
            number = self._number(begins)
            ends = min(begins + part, self._begins(number) + _MINUTE)
            within = (one for one in self._evaluations(number) if begins <= one.at < ends)
            known = [price for one in within for price in (*one.lows, one.last) if price]
            if known:
                yield begins, min(price.price for price in known)
            begins += part

    def _next_evaluation(self, instant: datetime) -> datetime:
        quotes = PriceQuote.objects.filter(sent_at__gte=instant - _LONGEST_WAIT, too_late=False)
        within = quotes.filter(evaluated_at__gte=instant, evaluated_at__lt=instant + self._period)
        return within.aggregate(first=Min("evaluated_at"))["first"] or instant

    def _number(self, instant: datetime) -> int:
        return (instant - _minute_of(self.start)) // _MINUTE

    def _begins(self, number: int) -> datetime:
        return _minute_of(self.start) + number * _MINUTE

    def _read_minutes(self) -> list[_Minute | None]:
        """Every minute of the interval; None where no quote can have held."""
        since = self.start - _LONGEST_WAIT
        evaluated = {row[0]: row[1:] for row in _rows(_MINUTES, since=since, until=self.end)}
        first = min(
            [self.start, *(sent for minute, (_last, sent) in evaluated.items() if minute >= _minute_of(self.start))]
        )
        # A window begins one reach before its quotes at the earliest, and what held then was sent one reach before.
        lookback = 3 * self._reach
        bounds = {row[0]: row[1:] for row in _rows(_BOUNDS, since=first - lookback - _MINUTE, until=self.end)}
        evaluated_to = max(
            (last for minute, (last, _sent) in evaluated.items() if minute < _minute_of(self.start)), default=since
        )
        found: list[_Minute | None] = []
        for number in range(self._number(self.end) + 1):
            begins = self._begins(number)
            last, earliest = evaluated.get(begins, (evaluated_to, begins))
            earliest = min(earliest, begins)
            steps = range((begins - _minute_of(earliest - lookback)) // _MINUTE + 1)
            within = [bounds[at] for step in steps if (at := begins - step * _MINUTE) in bounds]
            found.append(
                _Minute(begins, evaluated_to, earliest, min(low for low, _ in within), max(high for _, high in within))
                if within
                else None
            )
            evaluated_to = last
        return found

    def _read_acts(self) -> tuple[dict[datetime, datetime], dict[datetime, datetime]]:
        """When evaluations first changed loans, by their own instants: finished ones; and those that were not.

        One that dies, or is overtaken, leaves its quotes to the next, but what it did to loans is done.
        """
        bounds = {"since": self.start, "until": self.end, "reach": self._reach, "markets": list(Market)}
        finished, unfinished = {}, {}
        for acted_at, known_at, evaluated_at in _rows(_ACTS, **bounds):
            if evaluated_at is None:
                unfinished[known_at] = acted_at
            else:
                finished[evaluated_at] = acted_at
        return finished, dict(sorted(unfinished.items()))

    def _evaluate(self, number: int) -> Sequence[Evaluation]:
        minute = self._minutes[number]
        if minute is None:
            return ()
        ends = min(minute.begins + _MINUTE, self.end)
        since = min(minute.earliest, max(minute.evaluated_to, minute.earliest - 2 * self._reach))
        while True:
            history = reading.history(since, ends, no_earlier=since - self._reach)
            quotes = {quote.id: quote for quote in history.quotes}
            rows = PriceQuote.objects.filter(pk__in=list(quotes)).values_list("pk", "received_at", "evaluated_at")
            known = [self._known(quotes[pk], received, evaluated or _NEVER) for pk, received, evaluated in rows]
            within = {one.evaluated_at for one in known if not one.quote.too_late}
            recorded = sorted(instant for instant in within if minute.begins <= instant < ends)
            unfinished = [instant for instant in self._early if minute.begins <= instant < ends]
            acts = self._finished | self._unfinished
            instants = [
                replace(instant, acted_at=acts.get(instant.at))
                for instant in _instants(minute, recorded, unfinished, ends, self._period)
            ]
            try:
                found = evaluations(instants, known, history.settled, self._rules, since)
                return tuple(sorted(found, key=attrgetter("at")))
            except ReadFurtherBack as further:
                since = further.since

    def _known(self, quote: Quote, received_at: datetime, evaluated_at: datetime) -> Known:
        """A quote, which an unfinished evaluation may have known first."""
        first = bisect_left(self._early, received_at)
        unfinished = self._early[first:][:1]
        return Known(quote, min([evaluated_at, *unfinished]), evaluated_at)


def _instants(
    minute: _Minute, recorded: Sequence[datetime], unfinished: Sequence[datetime], ends: datetime, period: timedelta
) -> list[Instant]:
    """When loans were evaluated in a minute.

    By new quotes, as recorded; and while there were none, as often as beat has it done, which is not recorded.
    """
    before = evaluated_to = minute.evaluated_to
    waiting = list(unfinished)
    found = []
    for instant in [*recorded, ends]:
        while waiting and waiting[0] < instant:
            found.append(Instant(waiting.pop(0), before, evaluated_to))
        for number in range(max(1, (minute.begins - evaluated_to) // period), (instant - evaluated_to) // period + 1):
            assumed = evaluated_to + number * period
            if minute.begins <= assumed < instant:
                found.append(Instant(assumed, before, evaluated_to))
                before = assumed
        if instant < ends:
            found.append(Instant(instant, before, evaluated_to))
            before = evaluated_to = instant
            waiting = [one for one in waiting if one != instant]
    return sorted(found, key=attrgetter("at"))


def _rules() -> Rules:
    """What prices depended on: the guard, what was set aside, and when claims went on."""
    aside = Control.objects.filter(kind=ControlKind.SET_ASIDE).values_list("market", "began_at", "until")
    resumed = Control.objects.filter(kind=ControlKind.PAUSE_CLAIMS).values_list("until", flat=True)
    released = Restore.objects.exclude(claims_released_at=None).values_list("claims_released_at", flat=True)
    return Rules(
        reading.guards(),
        records.freshness(),
        settings.PRICE_REFERENCE_QUANTITY,
        tuple(Interval(Market(market), began, until) for market, began, until in aside),
        tuple(sorted({*resumed, *(at for at in released if at is not None)})),
    )


def _pauses(end: datetime) -> tuple[Pause, ...]:
    """When claims were paused, or held by a restore."""
    paused = Control.objects.filter(kind=ControlKind.PAUSE_CLAIMS, began_at__lt=end).values_list("began_at", "until")
    held = Restore.objects.filter(begun_at__lt=end).values_list("begun_at", "claims_released_at")
    return tuple(Pause(began, until or _NEVER) for began, until in [*paused, *held])


def _bounds(minutes: Sequence[_Minute | None]) -> tuple[Decimal, Decimal] | None:
    known = [one for one in minutes if one is not None]
    return (min(one.lowest for one in known), max(one.highest for one in known)) if known else None


def _minute_of(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _rows(query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
