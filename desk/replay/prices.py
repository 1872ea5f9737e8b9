"""The evaluations of an interval, read from recorded quotes minute by minute, and only where they may matter.

One statement finds between which prices the quotes of each minute lie. The minutes that matter to some loan by that
are evaluated anew, a number of these are kept, and of all is kept between which prices their evaluations lay: markets
differ, so quotes alone would have whoever is near the line look at every minute.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from django.conf import settings
from django.db.models import Min

from coruscant.controls.models import Control, ControlKind
from coruscant.money import ZERO
from coruscant.restores.models import Restore
from desk.replay import minutes
from desk.replay.engine import Evaluation, Matters, Pause
from desk.replay.evaluations import Instant, Known, ReadFurtherBack, Rules, evaluations
from desk.replay.minutes import LONGEST_WAIT, MINUTE, Bounds, Minute, minute_of
from pricing import reading, records
from pricing.aside import Interval
from pricing.guard import Effective, Guards, Mode
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.quotes import Quote

_HOUR: Final = 60
#: Minutes kept in memory: some 100 MB, if both markets send a quote a second.
_KEPT: Final = 2000
_INFINITY: Final = Decimal("Infinity")
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

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


class RecordedPrices:
    """The evaluations in [start, end): the `Prices` of `engine`. Reads the database when it is asked.

    `guard` are settings of the guard over prices in place of those it had: it decides by these all the time. What
    evaluations have found is no help then, so the first quote that is read of a market is taken as effective.
    """

    def __init__(self, start: datetime, end: datetime, guard: Mapping[str, Decimal] | None = None) -> None:
        """Both are moved to the next evaluation, if there was one within the period in which beat has them done.

        What an evaluation did is dated some milliseconds after it: so no interval begins or ends in between.
        """
        self._period = timedelta(seconds=settings.RECOVERY_PERIOD_SECONDS)
        self.start, self.end = self._next_evaluation(start), self._next_evaluation(end)
        self.pauses, self._rules = _pauses(self.end), _rules(other_guards(guard or {}))
        self._settles = not guard
        self._reach = self._rules.freshness.max_age + self._rules.freshness.max_lag
        self._finished, self._unfinished = self._read_acts()
        self._early = list(self._unfinished)
        self._minutes = minutes.read(self.start, self.end, self._rules)
        self._bounds: list[Bounds | None] = [
            (minute.lowest, minute.highest) if minute else None for minute in self._minutes
        ]
        self._hours = [
            minutes.bounds_of_all(self._bounds[at : at + _HOUR]) for at in range(0, len(self._bounds), _HOUR)
        ]
        self._evaluated: set[int] = set()
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
            hour = self._hours[number // _HOUR]
            if hour is None or not matters(*hour):
                number += _HOUR - number % _HOUR
                continue
            if self._may_matter(number, matters):
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
            ends = min(begins + part, self._begins(number) + MINUTE)
            within = (one for one in self._evaluations(number) if begins <= one.at < ends)
            known = [price for one in within for price in (*one.lows, one.last) if price]
            if known:
                yield begins, min(price.price for price in known)
            begins += part

    def _may_matter(self, number: int, matters: Matters) -> bool:
        bounds = self._bounds[number]
        if bounds is None or not matters(*bounds):
            return False
        if number not in self._evaluated:
            self._evaluated.add(number)
            bounds = self._bounds[number] = _bounds_of(self._evaluations(number))
            first = number - number % _HOUR
            self._hours[number // _HOUR] = minutes.bounds_of_all(self._bounds[first : first + _HOUR])
        return bounds is not None and matters(*bounds)

    def _next_evaluation(self, instant: datetime) -> datetime:
        quotes = PriceQuote.objects.filter(market__in=list(Market), sent_at__gte=instant - LONGEST_WAIT, too_late=False)
        within = quotes.filter(evaluated_at__gte=instant, evaluated_at__lt=instant + self._period)
        return within.aggregate(first=Min("evaluated_at"))["first"] or instant

    def _number(self, instant: datetime) -> int:
        return (instant - minute_of(self.start)) // MINUTE

    def _begins(self, number: int) -> datetime:
        return minute_of(self.start) + number * MINUTE

    def _read_acts(self) -> tuple[dict[datetime, datetime], dict[datetime, datetime]]:
        """When evaluations first changed loans, by their own instants: finished ones; and those that were not.

        One that dies, or is overtaken, leaves its quotes to the next, but what it did to loans is done.
        """
        bounds = {"since": self.start, "until": self.end, "reach": self._reach, "markets": list(Market)}
        finished, unfinished = {}, {}
        for acted_at, known_at, evaluated_at in minutes.rows(_ACTS, **bounds):
            if evaluated_at is None:
                unfinished[known_at] = acted_at
            else:
                finished[evaluated_at] = acted_at
        return finished, dict(sorted(unfinished.items()))

    def _evaluate(self, number: int) -> Sequence[Evaluation]:
        minute = self._minutes[number]
        if minute is None:
            return ()
        ends = min(minute.begins + MINUTE, self.end)
        since = min(minute.earliest, max(minute.evaluated_to, minute.earliest - 2 * self._reach))
        while True:
            read, settled = self._quotes(since, ends)
            quotes = {quote.id: quote for quote in read}
            rows = PriceQuote.objects.filter(pk__in=list(quotes)).values_list("pk", "received_at", "evaluated_at")
            known = [self._known(quotes[pk], received, evaluated or _NEVER) for pk, received, evaluated in rows]
            late = {one.quote.id for one in known if one.at > minute.begins}
            if overtaken := [one.quote.sent_at for one in settled.values() if one.quote.id in late]:
                since = min(overtaken)  # evaluations of this minute did not know it yet, and went by the one before it
                continue
            within = {one.evaluated_at for one in known if not one.quote.too_late}
            recorded = sorted(instant for instant in within if minute.begins <= instant < ends)
            unfinished = [instant for instant in self._early if minute.begins <= instant < ends]
            acts = self._finished | self._unfinished
            instants = [
                replace(instant, acted_at=acts.get(instant.at))
                for instant in _instants(minute, recorded, unfinished, ends, self._period)
            ]
            try:
                found = evaluations(instants, known, settled, self._rules, since)
                return tuple(sorted(found, key=attrgetter("at")))
            except ReadFurtherBack as further:
                since = further.since

    def _quotes(self, since: datetime, until: datetime) -> tuple[Sequence[Quote], Mapping[Market, Effective]]:
        """The quotes on which prices in [since, until] depend, and each market's effective one at the beginning."""
        if self._settles:
            found = reading.history(since, until, no_earlier=since - self._reach)
            return found.quotes, found.settled
        return reading.between(since - self._reach, until)[0], {}

    def _known(self, quote: Quote, received_at: datetime, evaluated_at: datetime) -> Known:
        """A quote, which an unfinished evaluation may have known first."""
        first = bisect_left(self._early, received_at)
        unfinished = self._early[first:][:1]
        return Known(quote, min([evaluated_at, *unfinished]), evaluated_at)


def _instants(
    minute: Minute, recorded: Sequence[datetime], unfinished: Sequence[datetime], ends: datetime, period: timedelta
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


def other_guards(settings_of_it: Mapping[str, Decimal]) -> Guards:
    """The guard as it was, or one with these settings that decides all the time."""
    if not settings_of_it:
        return reading.guards()
    changed: dict[str, Any] = {name.removeprefix("guard_"): share for name, share in settings_of_it.items()}
    return tuple(replace(one, mode=Mode.ON, **changed) for one in reading.guards())


def _rules(guards: Guards) -> Rules:
    """What prices depended on: the guard, what was set aside, and when claims went on."""
    aside = Control.objects.filter(kind=ControlKind.SET_ASIDE).values_list("market", "began_at", "until")
    resumed = Control.objects.filter(kind=ControlKind.PAUSE_CLAIMS).values_list("until", flat=True)
    released = Restore.objects.exclude(claims_released_at=None).values_list("claims_released_at", flat=True)
    return Rules(
        guards,
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


def _bounds_of(found: Sequence[Evaluation]) -> Bounds | None:
    """The lowest price that may call or sell a loan, and the highest that may clear a call."""
    falls = [price.price for one in found for price in (*one.lows, one.last) if price]
    clears = [one.careful.price for one in found if one.careful]
    return (min(falls, default=_INFINITY), max(clears, default=ZERO)) if falls or clears else None
