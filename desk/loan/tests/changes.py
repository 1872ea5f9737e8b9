"""Changes as the timeline has them, made by hand."""

from datetime import UTC, datetime
from types import SimpleNamespace

from desk.evidence.timeline import cause_of
from desk.loan.step import Change, Known

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = datetime(2026, 5, 4, 12, 0, 1, tzinfo=UTC)


def cause(reason, actor="system"):
    return cause_of(
        SimpleNamespace(
            history_change_reason=reason, history_actor=actor, history_user_id=None, history_session_user="coruscant"
        )
    )


def change(table, values, *, created=False, state=None, reason="posting r-1", actor="otc", row=9):
    """A change at a second past noon; the row was `state` before it."""
    return Change(
        at=LATER, table=table, row=row, created=created, values=values, state={**(state or {}), **values},
        cause=cause(reason, actor),
    )  # fmt: skip


def known(*, whole=True, **rows):
    """Nothing is known about the loan but these rows."""
    empty = ("loan_events", "orders", "answers", "stated", "margin_notices", "withheld")
    return Known(SimpleNamespace(**{**dict.fromkeys(empty, ()), "claim_failure": None, "event": None, **rows}), whole)


def shown(step):
    return step and (step.title, step.text, step.kind)
