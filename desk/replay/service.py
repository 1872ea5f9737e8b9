"""Replays: asked for, done by a worker one at a time, and kept with what came out. Nothing else is written."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Any, ClassVar, Final

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import OperationalError, transaction

from coruscant import clock, enqueue, money
from coruscant.errors import DomainError
from desk.replay import history
from desk.replay.engine import Fate, fate
from desk.replay.models import GUARD, LTVS, PolicyReplay
from desk.replay.prices import RecordedPrices, other_guards
from desk.replay.report import Report
from liquidation.chains import task
from loans.models import Loan, LoanTerms
from loans.terms import ByVersion, TermsDoNotFit
from pricing import rehearsal

log = structlog.get_logger(__name__)

LONGEST: Final = timedelta(days=31)
#: A worker ends a replay after so long, with what it has: below the time limit of its task.
_SECONDS: Final = 90
#: The share of that for the loans. The rest is for the plotted price.
_OF_LOANS: Final = 0.8
#: Another worker begins a replay again that was taken so long ago: above that limit.
_TAKEN_FOR: Final = timedelta(seconds=115)
#: A replay is given up once so many workers have died or lost the database over it, so that others get their turn.
_MOST_ATTEMPTS: Final = 3
#: So many may wait.
_MOST_WAITING: Final = 20
#: Points of the plotted price.
_POINTS: Final = 200

#: What is replaced, as ratios: LTVs, of which each loan keeps its own of the others, and settings of the guard.
Named = Mapping[str, Decimal]


class IntervalDoesNotFit(DomainError):
    """The interval is empty, too long, not over yet, or begins before the oldest quote that is kept."""

    code = "interval-does-not-fit"
    title = "This interval cannot be replayed"
    status: ClassVar[int] = 422


class GuardDoesNotFit(DomainError):
    """A jump must be more than what confirms it."""

    code = "guard-does-not-fit"
    title = "A guard cannot have these settings"
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
    """A worker had to give up before the first loan, or was stopped."""

    code = "replay-took-too-long"
    title = "The replay took too long"
    status: ClassVar[int] = 503

    def __init__(self) -> None:
        """What to do instead."""
        super().__init__("It took too long. Ask for a shorter time, or run `manage.py replay`, which may take longer.")


def ask(start: datetime, end: datetime, named: Named, *, asked_by: str) -> PolicyReplay:
    """Have [start, end) replayed by a worker.

    Raises IntervalDoesNotFit, TermsDoNotFit, GuardDoesNotFit, TooManyWait.
    """
    now = clock.now()
    _check(start, end, now)
    _thresholds(named)
    _guard(named)
    if PolicyReplay.objects.filter(status=PolicyReplay.Status.WAITING).count() >= _MOST_WAITING:
        raise TooManyWait(f"{_MOST_WAITING} replays wait already. Ask again when some are done.")
    with transaction.atomic():
        asked = PolicyReplay.objects.create(start=start, end=end, asked_by=asked_by, asked_at=now, **named)
        enqueue.on_commit(task("desk.replay"))
    log.info("replay_asked_for", replay=asked.pk, asked_by=asked_by)
    return asked


def work() -> bool:
    """Do the replay that has waited longest; returns whether there was one to do.

    One at a time, so that the database has no more to do beside evaluations: if another worker has one, that worker's
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
        result = replay(taken.start, taken.end, taken.named, most_seconds=_SECONDS)
    except OperationalError:
        raise
    except DomainError as error:
        return {"status": PolicyReplay.Status.FAILED, "error": str(error)}
    except SoftTimeLimitExceeded:
        return {"status": PolicyReplay.Status.FAILED, "error": str(TookTooLong())}
    except Exception:
        log.exception("replay_failed", replay=taken.pk)
        return {"status": PolicyReplay.Status.FAILED, "error": "An unexpected error; the log has it."}
    return {"status": PolicyReplay.Status.DONE if result["complete"] else PolicyReplay.Status.PART, "result": result}


def replay(start: datetime, end: datetime, named: Named, *, most_seconds: float | None = None) -> dict[str, Any]:
    """What [start, end) would have been under other terms, as JSON; `report.Report` has most of it.

    Reads only. After `most_seconds` it ends with what it has: the oldest loans, as many as `loans` says, and then it is
    not `complete`. Raises IntervalDoesNotFit, TermsDoNotFit, GuardDoesNotFit, and TookTooLong if there was no time for
    any loan.
    """
    began = time.monotonic()

    def late(share: float) -> bool:
        return most_seconds is not None and time.monotonic() - began > share * most_seconds

    _check(start, end, clock.now())
    guard = _guard(named)
    prices = RecordedPrices(start, end, guard)
    if late(_OF_LOANS):
        raise TookTooLong
    report, done, complete = Report(), 0, True
    for done, really, replayed in _fates(prices, _thresholds(named)):
        report.add(done, really, replayed)
        if late(_OF_LOANS):
            complete = False
            break
    every = Loan.objects.filter(created_at__lt=prices.end)
    series = takewhile(lambda _: not late(1), prices.series(_POINTS))
    return {
        "from": prices.start.isoformat(),
        "to": prices.end.isoformat(),
        "terms": {name: money.decimal_string(ltv) for name, ltv in named.items()},
        "complete": complete,
        "loans": {"replayed": every.filter(pk__lte=done).count(), "of": every.count()},
        **report.as_json(history.names),
        "held": _held(guard, prices) if guard else None,
        "prices": [[at.isoformat(), money.decimal_string(price)] for at, price in series],
        "seconds": round(time.monotonic() - began, 1),
    }


def _fates(prices: RecordedPrices, thresholds: ByVersion) -> Iterator[tuple[int, Fate, Fate]]:
    """What became of each loan, by its primary key, and what would have; nothing at the end of a batch. Ascending."""
    for batch in history.batches(prices.start, prices.end, thresholds, prices.lowest):
        loans = {loan.pk: loan for loan in batch.loans}
        for pk in sorted({*loans, *batch.reality}):
            replayed = fate(loans[pk], prices, prices.pauses, prices.end) if pk in loans else Fate()
            yield pk, batch.reality.get(pk, Fate()), replayed
        yield batch.up_to, Fate(), Fate()


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
    ltvs_named = {name: ltv for name, ltv in named.items() if name in LTVS}
    found = {row.version: replace(row.thresholds, **ltvs_named) for row in LoanTerms.objects.all()}
    for version, ltvs in found.items():
        if not 0 < ltvs.margin_call_clear_ltv <= ltvs.margin_call_ltv <= ltvs.liquidation_ltv <= 1:
            raise TermsDoNotFit(
                f"Loans under the terms {version} would have a clearing LTV of {_said(ltvs.margin_call_clear_ltv)}, a"
                f" margin call LTV of {_said(ltvs.margin_call_ltv)} and a liquidation LTV of"
                f" {_said(ltvs.liquidation_ltv)}: they must ascend, up to 1. Name the others as well."
            )
    return found


def _guard(named: Named) -> dict[str, Decimal]:
    """The settings of the guard that are named. Raises GuardDoesNotFit."""
    found = {name: share for name, share in named.items() if name in GUARD}
    for one in other_guards(found):
        if not 0 < one.agreement < one.jump < 1:
            raise GuardDoesNotFit(
                f"Jumps would be held from {_said(one.jump)}, and confirmed within {_said(one.agreement)}: that must be"
                " less, and both between 0 and 1. Name the other as well."
            )
    return found


def _held(guard: dict[str, Decimal], prices: RecordedPrices) -> dict[str, Any]:
    """What this guard would have held, had it decided."""
    found = rehearsal.held(other_guards(guard)[-1], prices.start, prices.end)
    return {"jumps": len(found.jumps), "unconfirmed": found.unconfirmed, "complete": found.complete}


def _said(ltv: Decimal) -> str:
    return money.decimal_string(ltv)
