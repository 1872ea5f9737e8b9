"""Taking a snapshot of the book, and thinning out the older ones."""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

import structlog
from django.conf import settings
from django.db import connection, transaction

from coruscant import clock
from desk.book.buckets import ENDS, INFINITE, STARTS, Sums
from desk.book.distribution import written
from desk.models import BookSnapshot
from pricing import reading, records
from pricing import timeline as rules
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

#: Beat asks for a snapshot so often. One that is younger than half of that is not taken anew: beats may be many.
PERIOD: Final = timedelta(seconds=30)
#: Prices are read so far back at most. What lies before was nobody's to see: no snapshot was taken.
_LONGEST_GAP: Final = timedelta(minutes=10)
_MINUTE, _HOUR, _DAY, _YEAR = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=365)

# A short range of `active_by_terms_and_debt` for each bucket: together one pass over the index, which reads no row.
# `width_bucket` over as many numeric edges would cost more than the pass (docs/decisions/0033).
_SUMS = """
    SELECT terms.version, bucket.number - 1, sums.loans, sums.balance, sums.collateral
    FROM loans_loanterms terms
    CROSS JOIN unnest(%s::numeric[], %s::numeric[]) WITH ORDINALITY AS bucket(first, below, number)
    CROSS JOIN LATERAL (
        SELECT count(*) AS loans, sum(outstanding_balance) AS balance, sum(collateral) AS collateral
        FROM loans_loan WHERE status = 'active' AND terms_id = terms.version
        AND debt_per_unit >= bucket.first AND debt_per_unit < bucket.below
    ) AS sums WHERE sums.loans > 0
    UNION ALL
    SELECT terms_id, %s, count(*), sum(outstanding_balance), sum(collateral)
    FROM loans_loan WHERE status = 'active' AND debt_per_unit IS NULL AND outstanding_balance > 0 GROUP BY terms_id
    ORDER BY 1, 2
"""


def take() -> BookSnapshot | None:
    """Take a snapshot of the book; None if the last one is younger than half a period. Nothing is locked."""
    last = BookSnapshot.objects.only("taken_at").first()
    now = clock.now()
    if last is not None and now - last.taken_at < PERIOD / 2:
        return None
    since = now if last is None else max(last.taken_at, now - _LONGEST_GAP)
    points = best_prices(since, now)
    began = time.perf_counter()
    found = list(sums())
    milliseconds = round(1000 * (time.perf_counter() - began))
    total = sum((one for _version, _number, one in found), Sums())
    snapshot = BookSnapshot.objects.create(
        taken_at=now,
        milliseconds=milliseconds,
        price=points[-1].price,
        lowest_price=_lowest(point.price for point in points),
        loans=total.loans,
        outstanding_balance=total.balance,
        collateral=total.collateral,
        buckets=written(found),
    )
    log.info("book_snapshot_taken", loans=total.loans, milliseconds=milliseconds)
    return snapshot


def sums() -> Iterator[tuple[int, int, Sums]]:
    """The active loans by version of the terms and bucket, in the order of both: one statement, which locks nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, [list(STARTS), list(ENDS), INFINITE])
        for version, number, loans, balance, collateral in cursor.fetchall():
            yield version, number, Sums(loans, balance, collateral)


def best_prices(since: datetime, until: datetime) -> tuple[PricePoint, ...]:
    """The best price in [since, until], as an evaluation sees it."""
    freshness = records.freshness()
    progress = reading.progress(since=until - freshness.max_age)
    first = min(since, progress.earliest or since)  # history is settled up to the first unevaluated quote
    history = reading.history(first, until, no_earlier=first - freshness.max_age - freshness.max_lag)
    return rules.timeline(
        history.courses(progress.guards, freshness),
        progress.guards,
        drained_to=progress.drained_to,
        freshness=freshness,
        reference_quantity=settings.PRICE_REFERENCE_QUANTITY,
        start=since,
        end=until,
        aside=history.aside,
    )


def thin() -> int:
    """Keep the last snapshot of each minute for a day, of each hour for a year, and delete all others.

    The one that is kept takes over the lowest price of its period. Periods that are not over stay as they are, so it
    may run at any time, and twice at once. Returns how many were deleted.
    """
    now = clock.now()
    with transaction.atomic():
        too_old, _by_model = BookSnapshot.objects.filter(taken_at__lt=now - _YEAR).delete()
        rows = BookSnapshot.objects.order_by("taken_at").values_list("pk", "taken_at", "lowest_price")
        doomed: list[int] = []
        for end, group in groupby(rows, key=lambda row: _period_end(row[1], now)):
            members = list(group)
            if end > now or len(members) == 1:
                continue
            *others, last = (pk for pk, _taken_at, _price in members)
            BookSnapshot.objects.filter(pk=last).update(lowest_price=_lowest(price for *_row, price in members))
            doomed += others
        BookSnapshot.objects.filter(pk__in=doomed).delete()
    return too_old + len(doomed)


def _lowest(prices: Iterable[Decimal | None]) -> Decimal | None:
    return min((price for price in prices if price is not None), default=None)


def _period_end(taken_at: datetime, now: datetime) -> datetime:
    """The end of the hour that a snapshot is of, if that hour is over for a day; else that of its minute."""
    minute = taken_at.replace(second=0, microsecond=0)
    hour_end = minute.replace(minute=0) + _HOUR
    return hour_end if hour_end <= now - _DAY else minute + _MINUTE
