"""Of several who decide at once one wins, and the others are told: real threads on real rows."""

import threading
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError, connection

from coruscant import clock, history
from coruscant.approvals import actions
from coruscant.approvals.ask import AlreadyAsked
from coruscant.approvals.decide import AlreadyDecided, ApprovalExpired, NotExecuted, agree, refuse, withdraw
from coruscant.approvals.expire import expire_overdue
from coruscant.approvals.models import Approval
from coruscant.approvals.tests.support import CHANGE_BORROWER, NAME, BorrowerBarred, log_in, representative
from loans.models import Loan
from loans.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 8


def borrower():
    return Loan.objects.get().borrower_id


def of_class(results, error):
    return [found for found in results if isinstance(found, error)]


def test_two_or_more_agree_at_once_and_it_is_done_once(asked, loan):
    approval = asked()
    people = [representative(f"jedi-{number}") for number in range(MANY)]
    results = at_once(*(lambda person=person: agree(approval.pk, request=log_in(person)) for person in people))
    (winner,) = of_class(results, Approval)
    assert len(of_class(results, AlreadyDecided)) == MANY - 1
    approval.refresh_from_db()
    assert (approval.outcome, approval.decided_by_name, borrower()) == ("executed", winner.decided_by_name, "han")
    assert (loan.history.count(), approval.history.count()) == (2, 2)


def test_agreeing_refusing_and_withdrawing_at_once_one_of_them_wins(loan, asked, ahsoka, mace):
    yoda = representative("yoda")
    for number in range(MANY):
        before, wanted = borrower(), f"borrower-{number}"
        approval = asked(wanted)
        results = at_once(
            partial(agree, approval.pk, request=log_in(mace)),
            partial(refuse, approval.pk, request=log_in(yoda), note="no"),
            partial(withdraw, approval.pk, request=log_in(ahsoka)),
        )
        (winner,) = of_class(results, Approval)
        assert len(of_class(results, AlreadyDecided)) == 2
        approval.refresh_from_db()
        assert approval.outcome == winner.outcome
        assert borrower() == (wanted if winner.outcome == "executed" else before)
        assert approval.history.count() == 2


def test_agreeing_against_expiry_one_of_them_wins(loan, asked, mace):
    its_clock = threading.local()
    for number in range(MANY):
        before, wanted = borrower(), f"borrower-{number}"
        approval = asked(wanted)

        def just_in_time(approval=approval):
            its_clock.now = approval.expires_at - timedelta(microseconds=1)
            return agree(approval.pk, request=log_in(mace))

        def too_late(approval=approval):
            its_clock.now = approval.expires_at
            return expire_overdue()

        with clock.driven_by(lambda: its_clock.now):
            agreed, expired = at_once(just_in_time, too_late)
        approval.refresh_from_db()
        if expired:
            assert isinstance(agreed, ApprovalExpired)
            assert (approval.outcome, borrower()) == ("expired", before)
        else:
            assert (approval.outcome, borrower()) == ("executed", wanted)
        assert approval.history.count() == 2


def test_the_same_asked_at_once_is_asked_once(loan, asked):
    results = at_once(*([asked] * MANY))
    assert len(of_class(results, Approval)) == 1
    assert len(of_class(results, AlreadyAsked)) == MANY - 1
    assert Approval.objects.count() == 1


def test_of_two_approvals_about_the_same_row_agreed_at_once_one_fails(loan, asked, mace):
    first, second = asked("han"), asked("leia")
    results = at_once(
        lambda: agree(first.pk, request=log_in(mace)), lambda: agree(second.pk, request=log_in(representative("yoda")))
    )
    (done,) = of_class(results, Approval)
    assert len(of_class(results, NotExecuted)) == 1
    assert borrower() == done.arguments["borrower_id"]
    assert set(Approval.objects.values_list("outcome", flat=True)) == {"executed", "failed"}
    assert loan.history.count() == 2


def test_the_effect_is_looked_at_again_on_rows_that_nobody_else_is_changing(loan, asked, mace):
    approval, changed = asked(), threading.Event()

    def change():
        with history.cause("test", correlation_id="meanwhile"):
            Loan.objects.update(borrower_id="boba")
            changed.set()
            threading.Event().wait(0.5)

    def agree_meanwhile():
        changed.wait(10)
        return agree(approval.pk, request=log_in(mace))

    _, agreed = at_once(change, agree_meanwhile)
    assert isinstance(agreed, NotExecuted)
    approval.refresh_from_db()
    assert (approval.outcome, borrower()) == ("failed", "boba")


def test_a_database_lost_while_the_action_objects_is_told_as_such_and_the_approval_waits_on(asked, mace, monkeypatch):
    def lose(arguments):
        with pytest.raises(OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        raise BorrowerBarred("jabba gets no loans.")

    monkeypatch.setitem(actions._actions, NAME, replace(CHANGE_BORROWER, lock=lose))
    approval, request = asked(), log_in(mace)
    with pytest.raises(OperationalError):
        agree(approval.pk, request=request)
    connection.close()
    approval.refresh_from_db()
    assert approval.outcome == "asked"
