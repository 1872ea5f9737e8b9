"""The invariants, checked on a schedule: each every INVARIANTS_EVERY_MINUTES, a few at a time.

What was found is kept in the cache. Where that is emptied, they are due again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, connection, transaction

from liquidation import invariants
from liquidation.invariants import Invariant
from pricing.snapshot import if_up

log = structlog.get_logger(__name__)

_KEY = "invariants-checked"
_KEPT_SECONDS = timedelta(days=30).total_seconds()
#: One run begins no further check after so long …
_LONGEST_RUN_SECONDS = 5.0
#: … and a single one may take so long, which is less than Celery allows the task.
_LONGEST_CHECK = "40s"


@dataclass(frozen=True, slots=True)
class Checked:
    """The last check of an invariant: how many rows broke it, or None if the query took too long."""

    name: str
    seconds_ago: float
    violations: int | None


def check_due() -> int:
    """Check the invariants that are due, those first that were not checked for the longest; returns how many.

    Those that only say that something is overdue have metrics of their own. One that is broken is logged as an error,
    and is due again at once. Idempotent: two at once do the work twice.
    """
    known, began, checked = _known(), time.time(), 0
    before = began - settings.INVARIANTS_EVERY_MINUTES * 60

    def checked_at(invariant: Invariant) -> float:
        at, violations = known.get(invariant.name, (0.0, None))
        return 0.0 if violations else float(at)

    for invariant in sorted(_all(), key=checked_at):
        if checked_at(invariant) > before or time.time() - began > _LONGEST_RUN_SECONDS:
            break
        known[invariant.name] = [time.time(), _violations(invariant)]
        checked += 1
        if_up(partial(cache.set, _KEY, known, _KEPT_SECONDS))
    return checked


def last() -> list[Checked]:
    """What was found of each invariant that was ever checked."""
    known, now = _known(), time.time()
    return [
        Checked(one.name, now - known[one.name][0], known[one.name][1]) for one in _all() if one.name in known
    ]  # fmt: skip


def unchecked(found: Sequence[Checked]) -> int:
    """Of what `last` has found: how many invariants have had no result for twice as long as they should."""
    longest = 2 * settings.INVARIANTS_EVERY_MINUTES * 60
    fresh = [one for one in found if one.violations is not None and one.seconds_ago < longest]
    return len(_all()) - len(fresh)


def _all() -> list[Invariant]:
    return invariants.every(at_every_moment=True)


def _violations(invariant: Invariant) -> int | None:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_LONGEST_CHECK])
            found = invariants.look(invariant)
    except OperationalError as error:
        log.warning("invariant_not_checked", invariant=invariant.name, error=str(error))
        return None
    if found.violations:
        log.error("invariant_broken", invariant=invariant.name, rows=found.violations, examples=found.examples)
    return found.violations


def _known() -> dict[str, Any]:
    return dict(if_up(partial(cache.get, _KEY)) or {})
