"""The doctor's checks of what should be running, by its signs of life, and of what it has left in the books."""

from coruscant.monitoring import signs_of_life
from coruscant.monitoring.signs_of_life import BEAT, SILENT_AFTER_SECONDS
from liquidation.monitoring import invariant_checks
from liquidation.monitoring.doctor.trouble import Trouble

_START = "Start one, and look at the end of the last one's log: docs/operations.md#processes."


def a_beat_runs() -> str:
    """At least one beat has given a sign of life just now."""
    beats = signs_of_life.read()[BEAT]
    if beats.alive:
        return f"{beats.alive} at work"
    if beats.last_seconds is None:
        raise Trouble("No beat runs; none has given a sign of life.", _START)
    raise Trouble(f"No beat runs; the last sign of one was {beats.last_seconds:.0f} s ago.", _START)


def every_queue_has_a_worker() -> str:
    """At least one worker takes tasks from each Celery queue."""
    signs = {kind: found for kind, found in signs_of_life.read().items() if kind != BEAT}
    missing = [kind for kind, found in signs.items() if not found.alive]
    if missing:
        raise Trouble(f"No worker takes tasks from {', '.join(missing)}.", _START)
    return ", ".join(f"{found.alive} for {kind}" for kind, found in signs.items())


def nobody_has_fallen_silent() -> str:
    """No process has been killed or frozen within the last ten minutes without being started again."""
    silent = [f"{found.silent} of {kind}" for kind, found in signs_of_life.read().items() if found.silent]
    if silent:
        found = f"No sign of life for {SILENT_AFTER_SECONDS:.0f} s or more: {', '.join(silent)}."
        raise Trouble(found, "Start them again, or end those that are frozen: docs/operations.md#processsilent.")
    return "none"


def no_invariant_is_broken() -> str:
    """The last checks on the schedule found nothing."""
    last = invariant_checks.last()
    broken = [one.name for one in last if one.violations]
    if broken:
        raise Trouble(
            f"Broken: {', '.join(broken)}.",
            "Run manage.py check_invariants, and read docs/operations.md#-check_invariants-finds-something.",
        )
    hold = sum(one.violations == 0 for one in last)
    return f"{hold} hold, {invariant_checks.unchecked(last)} have not been checked lately"
