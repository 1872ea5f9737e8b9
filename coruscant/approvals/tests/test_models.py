"""What the database refuses, whoever writes."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from coruscant import history
from coruscant.approvals.models import Approval

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DECIDED = {"decided_by_id": 2, "decided_by_name": "mace", "decided_at": NOW}


def row(**columns):
    asked = {
        "action": "tests.act", "arguments": {"row": 1}, "effect": "It acts.", "why": "It must.", "asked_by_id": 1,
        "asked_by_name": "ahsoka", "asked_at": NOW, "expires_at": NOW + timedelta(hours=1),
    }  # fmt: skip
    with history.cause("ask", correlation_id="test"):
        return Approval.objects.create(**(asked | columns))


def change(approval, **columns):
    with history.cause("test", correlation_id="test"):
        Approval.objects.filter(pk=approval.pk).update(**columns)


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"outcome": "agreed", **DECIDED}, "a_decision_says_who_and_when"),
        ({"outcome": "executed", **DECIDED, "decided_by_id": 1}, "nobody_decides_what_they_asked"),
        ({"outcome": "failed", **DECIDED, "decided_by_id": 1, "note": "no"}, "nobody_decides_what_they_asked"),
        ({"outcome": "refused", **DECIDED, "decided_by_id": 1, "note": "no"}, "nobody_decides_what_they_asked"),
        ({"outcome": "withdrawn", **DECIDED}, "nobody_decides_what_they_asked"),
        ({"outcome": "executed"}, "a_decision_says_who_and_when"),
        ({"outcome": "executed", **DECIDED, "decided_by_id": None}, "a_decision_says_who_and_when"),
        ({"outcome": "executed", **DECIDED, "decided_by_name": ""}, "a_decision_says_who_and_when"),
        ({"outcome": "executed", **DECIDED, "decided_at": None}, "a_decision_says_who_and_when"),
        ({"outcome": "asked", **DECIDED}, "a_decision_says_who_and_when"),
        ({"outcome": "asked", "note": "early"}, "a_decision_says_who_and_when"),
        ({"outcome": "expired"}, "a_decision_says_who_and_when"),
        ({"outcome": "expired", "decided_at": NOW}, "a_decision_says_who_and_when"),
        ({"outcome": "expired", **DECIDED, "decided_at": NOW + timedelta(hours=1)}, "a_decision_says_who_and_when"),
        ({"outcome": "executed", **DECIDED, "decided_at": NOW + timedelta(hours=1)}, "it_was_agreed_in_time"),
        ({"outcome": "failed", **DECIDED}, "a_failure_or_refusal_says_why"),
        ({"outcome": "refused", **DECIDED}, "a_failure_or_refusal_says_why"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(columns, constraint):
    approval = row()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        change(approval, **columns)


@pytest.mark.parametrize(
    "columns",
    [
        {"outcome": "executed", **DECIDED},
        {"outcome": "failed", **DECIDED, "note": "too late"},
        {"outcome": "refused", **DECIDED, "note": "no"},
        {"outcome": "withdrawn", **DECIDED, "decided_by_id": 1},
        {"outcome": "expired", "decided_at": NOW + timedelta(hours=1)},
    ],
)
def test_what_is_decided_stays_as_it_is(columns):
    approval = row()
    change(approval, **columns)
    for again in (columns | {"note": "another"}, {"outcome": "executed", **DECIDED, "note": "twice"}):
        with pytest.raises(IntegrityError, match="is decided"), transaction.atomic():
            change(approval, **again)
    assert approval.history.count() == 2


@pytest.mark.parametrize(
    "columns",
    [
        {"arguments": {"row": 2}},
        {"effect": "It acts otherwise."},
        {"action": "tests.other"},
        {"why": "Just so."},
        {"asked_by_id": 3},
        {"asked_by_name": "anakin"},
        {"asked_at": NOW - timedelta(hours=1)},
        {"expires_at": NOW + timedelta(days=9)},
        {"on_command_line": True},
        {"arguments": {"row": 2}, "outcome": "executed", **DECIDED},
    ],
)
def test_what_was_asked_never_changes(columns):
    approval = row()
    with pytest.raises(IntegrityError, match="what was asked never changes"), transaction.atomic():
        change(approval, **columns)


def test_nothing_is_decided_before_it_is_asked():
    with pytest.raises(IntegrityError, match="begins by being asked"), transaction.atomic():
        row(outcome="executed", **DECIDED)


@pytest.mark.parametrize("columns", [{"why": ""}, {"effect": ""}])
def test_who_asks_says_what_and_why(columns):
    with pytest.raises(IntegrityError, match="who_asks_says_what_and_why"), transaction.atomic():
        row(**columns)


def test_the_same_waits_once():
    first = row()
    with pytest.raises(IntegrityError, match="the_same_is_asked_once_at_a_time"), transaction.atomic():
        row(why="Again.")
    row(arguments={"row": 2})
    change(first, outcome="refused", **DECIDED, note="no")
    row()


def test_no_approval_is_deleted():
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        row().delete()
