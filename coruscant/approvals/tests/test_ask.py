"""One person asks: a row says what, why and until when, and nothing else changes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User

from coruscant import clock
from coruscant.approvals import people
from coruscant.approvals.actions import UnknownAction
from coruscant.approvals.arguments import ArgumentsDoNotFit
from coruscant.approvals.ask import AlreadyAsked, ReasonMissing, ask
from coruscant.approvals.decide import refuse
from coruscant.approvals.models import Approval
from coruscant.approvals.tests.support import NAME, NoSuchLoan, log_in
from loans.models import Loan

pytestmark = pytest.mark.django_db


def test_asking_keeps_what_was_asked_and_does_nothing(asked, loan, ahsoka, settings):
    settings.APPROVAL_EXPIRY_HOURS = 5
    approval = asked(why="  sold the Falcon ")
    approval.refresh_from_db()
    assert (approval.action, approval.arguments) == (NAME, {"loan_id": "L-1", "borrower_id": "han"})
    assert approval.effect == "The loan L-1 of lando becomes one of han."
    assert (approval.why, approval.asked_by_id, approval.asked_by_name) == ("sold the Falcon", ahsoka.pk, "ahsoka")
    assert (approval.outcome, approval.decided_by_id, approval.decided_at) == ("asked", None, None)
    assert approval.expires_at - approval.asked_at == timedelta(hours=5)
    assert approval.on_command_line is False
    assert (Loan.objects.get().borrower_id, loan.history.count()) == ("lando", 1)


def test_who_asked_is_in_the_history(asked, ahsoka):
    entry = asked().history.get()
    assert (entry.history_type, entry.history_actor, entry.history_user_id) == ("+", "ahsoka", ahsoka.pk)
    assert entry.history_change_reason == f"ask {NAME}"


def test_the_same_is_asked_once_at_a_time(asked, mace):
    first = asked()
    for again in ({}, {"asked_by": mace, "why": "another reason"}):
        with pytest.raises(AlreadyAsked):
            asked(**again)
    asked("chewbacca")
    refuse(first.pk, request=log_in(mace), note="no")
    assert asked().pk != first.pk
    assert Approval.objects.filter(outcome="asked").count() == 2


def test_what_has_expired_can_be_asked_again_at_once(asked):
    first = asked()
    later = first.expires_at
    with clock.driven_by(lambda: later):
        second = asked()
    first.refresh_from_db()
    assert (first.outcome, second.outcome) == ("expired", "asked")


@pytest.mark.parametrize("why", ["", "  \n", "\x00"])
def test_a_reason_is_needed(asked, why):
    with pytest.raises(ReasonMissing):
        asked(why=why)
    assert not Approval.objects.exists()


def test_what_makes_no_sense_cannot_be_asked(asked, ahsoka, loan):
    for name, arguments, error in (
        ("tests.nothing", {}, UnknownAction),
        (NAME, {"loan_id": "L-2", "borrower_id": "han"}, NoSuchLoan),
        (NAME, {"loan_id": "L-1"}, ArgumentsDoNotFit),
        (NAME, {"loan_id": "L-1", "borrower_id": Decimal(1), "more": 2}, ArgumentsDoNotFit),
    ):
        with pytest.raises(error):
            ask(name, arguments, why="because", asked_by=ahsoka)
    assert not Approval.objects.exists()


def test_asking_needs_the_permission_of_the_action(asked):
    stranger = User.objects.create_user("jarjar", is_staff=True)
    stranger.user_permissions.add(Permission.objects.get(codename="change_approval"))
    with pytest.raises(people.NotPermitted):
        asked(asked_by=stranger)
    with pytest.raises(people.AccountInactive):
        asked(asked_by=User.objects.create_superuser("gone", is_active=False))
    assert not Approval.objects.exists()
