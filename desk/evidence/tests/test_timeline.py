"""What a history row says: what changed, and why."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from desk.evidence.timeline import cause_of, timeline

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FIELDS = tuple(
    SimpleNamespace(name=name, attname=attname, primary_key=name == "id")
    for name, attname in (("id", "id"), ("loan", "loan_id"), ("status", "status"))
)


def entry(number, *, row=1, status="open", kind="~", reason="posting r-1", at=NOON):
    return SimpleNamespace(
        id=row, loan_id=7, status=status, tracked_fields=FIELDS, history_id=number, history_date=at, history_type=kind,
        history_change_reason=reason, history_user_id=None, history_actor="otc", history_session_user="coruscant",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "action", "correlation_id"),
    [
        ("posting r-1", "posting", "r-1"),
        ("claim mos_espa:event 3", "claim", "mos_espa:event 3"),
        ("after restore 2026-05-04T10:00:00+00:00", "after restore", "2026-05-04T10:00:00+00:00"),
        ("stop sending mos_espa:e-1", "stop sending", "mos_espa:e-1"),
        ("release", "release", ""),
        ("", "", ""),
    ],
)
def test_a_cause_is_an_action_and_what_set_it_off(reason, action, correlation_id):
    found = cause_of(entry(1, reason=reason))
    assert (found["reason"], found["action"], found["correlationId"]) == (reason, action, correlation_id)


def test_a_first_entry_has_all_columns_and_a_later_one_what_changed():
    steps = timeline({"order": [entry(1, kind="+"), entry(2, status="filled"), entry(3, row=2)]})
    assert [step["values"] for step in steps] == [
        {"loan": 7, "status": "open"}, {"status": "filled"}, {"loan": 7, "status": "open"},
    ]  # fmt: skip
    assert [(step["row"], step["change"]) for step in steps] == [(1, "created"), (1, "changed"), (2, "changed")]


def test_steps_are_in_the_order_of_their_instants_then_of_tables():
    later = NOON.replace(hour=13)
    steps = timeline({"loan": [entry(9, at=later), entry(8)], "posting": [entry(1)]})
    assert [(step["table"], step["at"]) for step in steps] == [("loan", NOON), ("posting", NOON), ("loan", later)]
