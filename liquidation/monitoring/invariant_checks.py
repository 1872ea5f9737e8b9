"""The invariants, checked on a schedule: each every INVARIANTS_EVERY_MINUTES, a few at a time.

What was found is kept in the cache. Where that is emptied, they are due again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError

from coruscant import statements
from liquidation import invariants
from liquidation.invariants import Invariant
from pricing.snapshot import if_up

log = structlog.get_logger(__name__)

_KEY = "invariants-checked"
_KEPT_SECONDS = timedelta(days=30).total_seconds()
#: One run begins no further check after so long …
_LONGEST_RUN_SECONDS = 5.0
#: … and a single one may take so long, which is less than Celery allows the task.
_LONGEST_CHECK_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Checked:
    """The last result of an invariant: how many rows broke it. None if every check so far took too long."""

    name: str
    seconds_ago: float
    violations: int | None


class _Kept(NamedTuple):
    """When an invariant was last tried, and when with which result. What takes too long replaces no result."""

    tried_at: float = 0.0
    found_at: float = 0.0
    violations: int | None = None


def check_due() -> int:
    """Check the invariants that are due, those first that were not tried for the longest; returns how many.

    Those that only say that something is overdue have metrics of their own. One that is broken is logged as an error,
    and is due again at once, behind the others. None is checked while the cache is down. Idempotent: two at once do the
    work twice.
    """
    known, began, checked = _known(), time.time(), 0
    if known is None:
        return 0
    before = began - settings.INVARIANTS_EVERY_MINUTES * 60
    for invariant in sorted(_all(), key=lambda one: known.get(one.name, _Kept()).tried_at):
        if time.time() - began > _LONGEST_RUN_SECONDS:
            break
        kept = known.get(invariant.name, _Kept())
        if kept.violations or kept.tried_at <= before:
            now, violations = time.time(), _violations(invariant)
            known[invariant.name] = (
                kept._replace(tried_at=now) if violations is None else _Kept(now, now, violations)
            )  # fmt: skip
            checked += 1
            if_up(partial(cache.set, _KEY, known, _KEPT_SECONDS))
    return checked


def last() -> list[Checked]:
    """The last result of each invariant that was ever tried."""
    known, now = _known() or {}, time.time()
    return [
        Checked(one.name, now - known[one.name].found_at, known[one.name].violations)
        for one in _all() if one.name in known
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
        with statements.within(_LONGEST_CHECK_SECONDS):
            found = invariants.look(invariant)
    except OperationalError as error:
        log.warning("invariant_not_checked", invariant=invariant.name, error=str(error))
        return None
    if found.violations:
        log.error("invariant_broken", invariant=invariant.name, rows=found.violations, examples=found.examples)
    return found.violations


def _known() -> dict[str, _Kept] | None:
    """What is kept; None while the cache is down."""
    found: dict[str, Any] | None = if_up(partial(cache.get, _KEY, {}))
    return found if found is None else {name: _Kept(*kept) for name, kept in found.items()}
