"""The matrix as text."""

from collections.abc import Sequence

from proofs.kill_matrix.outcome import Outcome


def line(outcome: Outcome) -> str:
    """A row: the cell, who died, seconds until all was complete, and the verdict."""
    seconds = "" if outcome.seconds is None else f"{outcome.seconds:.1f} s"
    verdict = (
        "ok"
        if not outcome.complaints
        else "BROKEN " + "; ".join(complaint.partition("\n")[0] for complaint in outcome.complaints)
    )
    return f"{outcome.cell!s:44} {outcome.victim:32} {seconds:>7}  {verdict}"


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """How many cells, how many broke a promise, and the longest recovery."""
    broken = sum(bool(outcome.complaints) for outcome in outcomes)
    timed = [outcome for outcome in outcomes if outcome.seconds is not None]
    longest = max(timed, key=lambda outcome: outcome.seconds or 0, default=None)
    worst = "" if longest is None else f"; the longest recovery took {longest.seconds:.1f} s ({longest.cell})"
    return f"{len(outcomes)} cells in {seconds / 60:.0f} minutes, {broken} broke a promise{worst}"
