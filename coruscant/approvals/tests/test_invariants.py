"""I14 finds what was not decided by two people, even where every other guard was taken away."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from coruscant import history
from coruscant.approvals.decide import agree, refuse, withdraw
from coruscant.approvals.invariants import TWO_PEOPLE
from coruscant.approvals.models import Approval
from coruscant.approvals.tests.support import log_in

pytestmark = pytest.mark.django_db


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [key for (key,) in cursor.fetchall()] if cursor.description else []


def broken():
    return sql(TWO_PEOPLE)


@pytest.fixture
def unguarded(db):
    """Without what the database refuses, as somebody could leave it who owns the tables."""
    sql("ALTER TABLE approvals_approval DROP CONSTRAINT nobody_decides_what_they_asked")
    sql("ALTER TABLE approvals_approval DROP CONSTRAINT it_was_agreed_in_time")
    sql("DROP TRIGGER approvals_approval_decided_once ON approvals_approval")


def decide_by_hand(approval, **columns):
    person = columns.get("decided_by_id", 0)
    with history.acting_as("by hand", person), history.cause("test", correlation_id="by hand"):
        Approval.objects.filter(pk=approval.pk).update(
            **({"outcome": "executed", "decided_by_name": "mace", "decided_at": approval.asked_at} | columns)
        )


def test_nothing_is_found_whatever_people_decide(asked, ahsoka, mace):
    agree(asked("han").pk, request=log_in(mace))
    refuse(asked("leia").pk, request=log_in(mace), note="no")
    withdraw(asked("luke").pk, request=log_in(ahsoka))
    asked("chewbacca")
    assert broken() == []


def test_what_one_person_agreed_to_alone_is_found(unguarded, asked, ahsoka, mace):
    approval = asked()
    decide_by_hand(approval, decided_by_id=ahsoka.pk)
    assert broken() == [approval.pk]


def test_a_young_account_is_found(unguarded, asked, mace):
    approval = asked()
    User.objects.filter(pk=mace.pk).update(date_joined=approval.asked_at - timedelta(hours=23))
    decide_by_hand(approval, decided_by_id=mace.pk)
    assert broken() == [approval.pk]


def test_what_was_agreed_too_late_is_found(unguarded, asked, mace):
    approval = asked()
    decide_by_hand(approval, decided_by_id=mace.pk, decided_at=approval.expires_at)
    assert broken() == [approval.pk]


def test_a_decision_under_another_log_in_is_found(unguarded, asked, ahsoka, mace):
    approval = asked()
    with history.acting_as("ahsoka", ahsoka.pk), history.cause("test", correlation_id="by hand"):
        Approval.objects.filter(pk=approval.pk).update(
            outcome="executed", decided_by_id=mace.pk, decided_by_name="mace", decided_at=approval.asked_at
        )
    assert broken() == [approval.pk]


def test_what_was_decided_twice_or_never_asked_is_found(unguarded, asked, mace):
    twice = asked()
    decide_by_hand(twice, decided_by_id=mace.pk)
    decide_by_hand(twice, decided_by_id=mace.pk, note="again")
    with history.acting_as("mace", mace.pk), history.cause("test", correlation_id="by hand"):
        never = asked("leia")
        never.pk, never.outcome, never.decided_by_id = None, "executed", mace.pk
        never.decided_by_name, never.decided_at = "mace", never.asked_at
        never.save(force_insert=True)
    assert sorted(broken()) == [twice.pk, never.pk]
