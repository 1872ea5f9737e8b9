"""Replays: asked for, done by a worker one at a time, and kept with what came out. Nothing else is written."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, TypeVar

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import OperationalError, transaction

from coruscant import clock, enqueue, money
from coruscant.errors import DomainError
from desk.replay import history
from desk.replay.engine import Fate, fate
from desk.replay.models import PolicyReplay
from desk.replay.prices import RecordedPrices
from desk.replay.report import Report
from liquidation.chains import task
from loans.models import LoanTerms
from loans.terms import ByVersion, TermsDoNotFit

log = structlog.get_logger(__name__)

_One = TypeVar("_One")

LONGEST: Final = timedelta(days=31)
#: A worker gives a replay up after so long: below the time limit of its task.
_SECONDS: Final = 40
#: Another worker begins a replay again that was taken so long ago: above that limit.
_TAKEN_FOR: Final = timedelta(seconds=65)
#: A replay is given up once so many workers have died or lost the database over it, so that others get their turn.
_MOST_ATTEMPTS: Final = 3
#: So many may wait.
_MOST_WAITING: Final = 20
#: Points of the plotted price.
_POINTS: Final = 200

#: The LTVs that are replaced, as ratios; each loan keeps its own of the others.
Named = Mapping[str, Decimal]


class IntervalDoesNotFit(DomainError):
    """The interval is empty, too long, not over yet, or begins before the oldest quote that is kept."""

    code = "interval-does-not-fit"
    title = "This interval cannot be replayed"
    status: ClassVar[int] = 422


class TooManyWait(DomainError):
    """The replays that wait would keep a worker busy for long."""

    code = "too-many-replays-wait"
    title = "Too many replays wait"
    status: ClassVar[int] = 429


class GivenUp(DomainError):
    """No worker has come to the end of it."""

    code = "replay-given-up"
    title = "The replay was given up"
    status: ClassVar[int] = 503

    def __init__(self) -> None:
        """What to do instead."""
        super().__init__(f"{_MOST_ATTEMPTS} workers did not come to its end. Ask for a shorter time.")


class TookTooLong(DomainError):
    """A worker had to give up."""

    code = "replay-took-too-long"
    title = "The replay took too long"
    status: ClassVar[int] = 503

    def __init__(self) -> None:
        """What to do instead."""
        super().__init__("It took too long. Ask for a shorter time, or run `manage.py replay`, which may take longer.")


def ask(start: datetime, end: datetime, named: Named, *, asked_by: str) -> PolicyReplay:
    """Have [start, end) replayed by a worker. Raises IntervalDoesNotFit, TermsDoNotFit, TooManyWait."""
    now = clock.now()
    _check(start, end, now)
    _thresholds(named)
    if PolicyReplay.objects.filter(status=PolicyReplay.Status.WAITING).count() >= _MOST_WAITING:
        raise TooManyWait(f"{_MOST_WAITING} replays wait already. Ask again when some are done.")
    with transaction.atomic():
        asked = PolicyReplay.objects.create(start=start, end=end, asked_by=asked_by, asked_at=now, **named)
        enqueue.on_commit(task("desk.replay"))
    log.info("replay_asked_for", replay=asked.pk, asked_by=asked_by)
    return asked


def work() -> bool:
    """Do the replay that has waited longest; returns whether there was one to do.

    One at a time, so that one process of its pool stays free for evaluations: if another worker has one, that worker's
    task goes on to the next. A replay whose worker died is done again.
    """
    taken = _take()
    if taken is None:
        return False
    finished = _done(taken)
    rows = PolicyReplay.objects.filter(pk=taken.pk, status=PolicyReplay.Status.WAITING)
    rows.update(**finished, finished_at=clock.now(), taken_until=None)
    log.info("replay_finished", replay=taken.pk, status=finished["status"], error=finished.get("error", ""))
    return True


def _done(taken: PolicyReplay) -> dict[str, Any]:
    """The columns of a replay once it is done. Raises OperationalError: then it is done again."""
    try:
        return {
            "status": PolicyReplay.Status.DONE,
            "result": replay(taken.start, taken.end, taken.named, most_seconds=_SECONDS),
        }
    except OperationalError:
        raise
    except DomainError as error:
        return {"status": PolicyReplay.Status.FAILED, "error": str(error)}
    except SoftTimeLimitExceeded:
        return {"status": PolicyReplay.Status.FAILED, "error": str(TookTooLong())}
    except Exception:
        log.exception("replay_failed", replay=taken.pk)
        return {"status": PolicyReplay.Status.FAILED, "error": "An unexpected error; the log has it."}


def replay(start: datetime, end: datetime, named: Named, *, most_seconds: float | None = None) -> dict[str, Any]:
    """What [start, end) would have been under other terms, as JSON; `report.Report` has most of it.

    Reads only. Raises IntervalDoesNotFit, TermsDoNotFit, and TookTooLong after `most_seconds`.
    """
    began = time.monotonic()

    def in_time(each: Iterable[_One]) -> Iterator[_One]:
        for one in each:
            if most_seconds is not None and time.monotonic() - began > most_seconds:
                raise TookTooLong
            yield one

    _check(start, end, clock.now())
    prices = RecordedPrices(start, end)
    report = Report()
    for batch in history.batches(prices.start, prices.end, _thresholds(named), prices.lowest):
        reality = dict(batch.reality)
        for loan in in_time(batch.loans):
            report.add(loan.pk, reality.pop(loan.pk, Fate()), fate(loan, prices, prices.pauses, prices.end))
        for pk, really in reality.items():
            report.add(pk, really, Fate())
    series = [[at.isoformat(), money.decimal_string(price)] for at, price in in_time(prices.series(_POINTS))]
    return {
        "from": prices.start.isoformat(),
        "to": prices.end.isoformat(),
        "terms": {name: money.decimal_string(ltv) for name, ltv in named.items()},
        **report.as_json(history.names),
        "prices": series,
        "seconds": round(time.monotonic() - began, 1),
    }


def _take() -> PolicyReplay | None:
    with transaction.atomic():
        waiting = list(
            PolicyReplay.objects.select_for_update().filter(status=PolicyReplay.Status.WAITING).order_by("pk")
        )
        now = clock.now()
        if not waiting or any(one.taken_until is not None and one.taken_until > now for one in waiting):
            return None
        for one in waiting:
            if one.attempts < _MOST_ATTEMPTS:
                one.taken_until, one.attempts = now + _TAKEN_FOR, one.attempts + 1
                one.save(update_fields=["taken_until", "attempts"])
                return one
            one.status, one.error, one.finished_at = PolicyReplay.Status.FAILED, str(GivenUp()), now
            one.taken_until = None
            one.save(update_fields=["status", "error", "finished_at", "taken_until"])
            log.error("replay_given_up", replay=one.pk)
        return None


def _check(start: datetime, end: datetime, now: datetime) -> None:
    kept_since = now - timedelta(days=settings.QUOTE_RETENTION_DAYS)
    if not start < end:
        raise IntervalDoesNotFit("It must begin before it ends.")
    if end > now:
        raise IntervalDoesNotFit("It must be over: what prices will do is for a stress test to say.")
    if end - start > LONGEST:
        raise IntervalDoesNotFit(f"It may be {LONGEST.days} days long at most.")
    if start < kept_since:
        raise IntervalDoesNotFit(f"Quotes are kept since {kept_since:%Y-%m-%d %H:%M} UTC: it may not begin before.")


def _thresholds(named: Named) -> ByVersion:
    """The LTVs of every version of the terms, with the named ones in their place. Raises TermsDoNotFit."""
    found = {row.version: replace(row.thresholds, **named) for row in LoanTerms.objects.all()}
    for version, ltvs in found.items():
        if not 0 < ltvs.margin_call_clear_ltv <= ltvs.margin_call_ltv <= ltvs.liquidation_ltv <= 1:
            raise TermsDoNotFit(
                f"Loans under the terms {version} would have a clearing LTV of {_said(ltvs.margin_call_clear_ltv)}, a"
                f" margin call LTV of {_said(ltvs.margin_call_ltv)} and a liquidation LTV of"
                f" {_said(ltvs.liquidation_ltv)}: they must ascend, up to 1. Name the others as well."
            )
    return found


def _said(ltv: Decimal) -> str:
    return money.decimal_string(ltv)
