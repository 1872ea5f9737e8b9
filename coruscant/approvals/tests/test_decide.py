"""A second person agrees, and it is done once; or it is refused, withdrawn or expired, and nothing is done."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Permission, User

from coruscant import clock, history
from coruscant.approvals import actions, people
from coruscant.approvals.actions import UnknownAction
from coruscant.approvals.ask import ReasonMissing
from coruscant.approvals.decide import AlreadyDecided, ApprovalExpired, NotExecuted, agree, refuse, withdraw
from coruscant.approvals.expire import expire_overdue
from coruscant.approvals.tests.support import CHANGE_BORROWER, NAME, execute, log_in, make_old, representative
from loans.models import Loan

pytestmark = pytest.mark.django_db


def borrower():
    return Loan.objects.get().borrower_id


def change_borrower(borrower_id):
    with history.cause("test", correlation_id="meanwhile"):
        Loan.objects.update(borrower_id=borrower_id)


def still_waits(approval):
    approval.refresh_from_db()
    return (approval.outcome, borrower(), approval.history.count()) == ("asked", "lando", 1)


class TestAgree:
    def test_a_second_person_agrees_and_it_is_done_in_the_name_of_both(self, asked, loan, ahsoka, mace):
        approval = agree(asked().pk, request=log_in(mace))
        approval.refresh_from_db()
        assert (approval.outcome, approval.note) == ("executed", "han has the loan L-1 now.")
        assert (approval.decided_by_id, approval.decided_by_name) == (mace.pk, "mace")
        assert approval.asked_at < approval.decided_at < approval.expires_at
        assert borrower() == "han"
        entry = loan.history.latest("history_id")
        assert (entry.history_actor, entry.history_user_id) == ("ahsoka and mace", mace.pk)
        assert entry.history_change_reason == f"{NAME} approval-{approval.pk}"
        decided = approval.history.latest("history_id")
        assert (decided.history_actor, decided.history_user_id) == ("mace", mace.pk)
        assert decided.history_change_reason == f"agree approval-{approval.pk}"

    def test_the_action_is_told_who_the_two_are(self, asked, ahsoka, mace, monkeypatch):
        told = []

        def note(arguments, **two):
            told.append((arguments, two))
            return "noted"

        monkeypatch.setitem(actions._actions, NAME, replace(CHANGE_BORROWER, execute=note))
        approval = agree(asked().pk, request=log_in(mace))
        assert told == [(approval.arguments, {"asked_by": ahsoka, "agreed_by": mace})]

    def test_it_is_done_once(self, asked, loan, mace):
        approval = asked()
        agree(approval.pk, request=log_in(mace))
        change_borrower("lando")
        for person in (mace, representative("yoda")):
            with pytest.raises(AlreadyDecided, match="mace was faster"):
                agree(approval.pk, request=log_in(person))
        assert borrower() == "lando"
        assert approval.history.count() == 2

    def test_an_action_that_names_causes_of_its_own_leaves_none_to_the_decision(self, asked, loan, mace, monkeypatch):
        def with_a_cause(arguments, **two):
            history.set_cause("own", correlation_id="cause")
            return execute(arguments, **two)

        monkeypatch.setitem(actions._actions, NAME, replace(CHANGE_BORROWER, execute=with_a_cause))
        approval = agree(asked().pk, request=log_in(mace))
        assert loan.history.latest("history_id").history_change_reason == "own cause"
        assert approval.history.latest("history_id").history_change_reason == f"agree approval-{approval.pk}"


class TestWhoMayAgree:
    def test_never_whoever_asked(self, asked, ahsoka):
        approval = asked()
        with pytest.raises(people.SamePerson):
            agree(approval.pk, request=log_in(ahsoka))
        assert still_waits(approval)

    def test_a_superuser_is_no_exception(self, asked):
        root = make_old(User.objects.create_superuser("root"))
        own = asked(asked_by=root)
        with pytest.raises(people.SamePerson):
            agree(own.pk, request=log_in(root))
        young = User.objects.create_superuser("new")
        with pytest.raises(people.AccountTooYoung):
            agree(own.pk, request=log_in(young))
        assert still_waits(own)

    def test_an_account_is_old_enough_after_a_day_by_the_databases_clock(self, asked, mace, settings):
        settings.APPROVAL_EXPIRY_HOURS = 48
        approval = asked()
        joined = clock.now()
        User.objects.filter(pk=mace.pk).update(date_joined=joined)
        almost = joined + timedelta(days=1) - timedelta(microseconds=1)
        with clock.driven_by(lambda: almost), pytest.raises(people.AccountTooYoung):
            agree(approval.pk, request=log_in(mace))
        assert still_waits(approval)
        with clock.driven_by(lambda: joined + timedelta(days=1)):
            assert agree(approval.pk, request=log_in(mace)).outcome == "executed"

    def test_an_account_of_the_future_is_too_young(self, asked, mace):
        User.objects.filter(pk=mace.pk).update(date_joined=clock.now() + timedelta(days=9))
        with pytest.raises(people.AccountTooYoung):
            agree(asked().pk, request=log_in(mace))

    def test_an_inactive_account_does_not_agree_though_its_session_goes_on(self, asked, mace):
        approval = asked()
        User.objects.filter(pk=mace.pk).update(is_active=False)
        with pytest.raises(people.AccountInactive):
            agree(approval.pk, request=log_in(mace))
        assert still_waits(approval)

    @pytest.mark.parametrize("held", ["add_loan", "change_approval", None])
    def test_agreeing_needs_the_permission_of_the_action_and_the_one_to_decide(self, asked, held):
        approval = asked()
        clerk = make_old(User.objects.create_user("clerk", is_staff=True))
        if held:
            clerk.user_permissions.add(Permission.objects.get(codename=held))
        for decision in (agree, lambda pk, request: refuse(pk, request=request, note="no")):
            with pytest.raises(people.NotPermitted):
                decision(approval.pk, request=log_in(clerk))
        assert still_waits(approval)

    def test_a_log_in_is_needed_and_it_must_be_ones_own(self, asked, ahsoka, mace):
        approval = asked()
        without, of_another = log_in(mace), log_in(mace)
        without.session = {}
        of_another.session = {SESSION_KEY: str(ahsoka.pk)}
        credential = log_in(mace)
        del credential.session
        for request in (without, of_another, credential):
            with pytest.raises(people.LogInNeeded):
                agree(approval.pk, request=request)
        assert still_waits(approval)

    def test_whoever_asked_must_still_be_there_and_allowed_to_ask(self, asked, ahsoka, mace):
        approval = asked()
        User.objects.filter(pk=ahsoka.pk).update(is_active=False)
        with pytest.raises(people.AccountInactive, match="ahsoka"):
            agree(approval.pk, request=log_in(mace))
        User.objects.filter(pk=ahsoka.pk).update(is_active=True)
        ahsoka.groups.clear()
        with pytest.raises(people.NotPermitted, match="ahsoka"):
            agree(approval.pk, request=log_in(mace))
        ahsoka.delete()
        with pytest.raises(people.AccountInactive, match="gone"):
            agree(approval.pk, request=log_in(mace))
        assert still_waits(approval)


class TestLookedAtAgain:
    def test_it_fails_if_its_effect_is_no_longer_what_was_agreed_to(self, asked, loan, mace):
        approval = asked()
        change_borrower("boba")
        with pytest.raises(NotExecuted, match="The loan L-1 of boba becomes one of han"):
            agree(approval.pk, request=log_in(mace))
        approval.refresh_from_db()
        assert (approval.outcome, approval.decided_by_name, borrower()) == ("failed", "mace", "boba")
        assert "The loan L-1 of boba becomes one of han" in approval.note

    def test_what_has_failed_is_not_tried_again(self, asked, loan, mace):
        approval = asked()
        change_borrower("boba")
        with pytest.raises(NotExecuted):
            agree(approval.pk, request=log_in(mace))
        change_borrower("lando")
        with pytest.raises(AlreadyDecided):
            agree(approval.pk, request=log_in(mace))
        assert borrower() == "lando"

    def test_an_action_that_fails_leaves_nothing_behind(self, asked, loan, mace):
        approval = asked("jabba")
        with pytest.raises(NotExecuted, match="jabba gets no loans"):
            agree(approval.pk, request=log_in(mace))
        approval.refresh_from_db()
        assert (approval.outcome, approval.note) == ("failed", "jabba gets no loans.")
        assert (borrower(), loan.history.count()) == ("lando", 1)

    def test_an_error_that_nobody_foresaw_leaves_it_waiting(self, asked, loan, mace, monkeypatch):
        def broken(arguments, **two):
            execute(arguments, **two)
            raise ZeroDivisionError

        approval = asked()
        monkeypatch.setitem(actions._actions, NAME, replace(CHANGE_BORROWER, execute=broken))
        with pytest.raises(ZeroDivisionError):
            agree(approval.pk, request=log_in(mace))
        assert still_waits(approval)

    def test_an_action_that_this_release_does_not_know_is_not_done(self, asked, mace, monkeypatch):
        approval = asked()
        monkeypatch.delitem(actions._actions, NAME)
        with pytest.raises(UnknownAction):
            agree(approval.pk, request=log_in(mace))
        assert still_waits(approval)


class TestTooLate:
    @pytest.mark.parametrize("marked", [False, True])
    def test_nobody_decides_what_has_expired_whether_it_is_marked_or_not(self, asked, ahsoka, mace, marked):
        approval = asked()
        with clock.driven_by(lambda: approval.expires_at):
            if marked:
                expire_overdue()
            for late in (
                lambda: agree(approval.pk, request=log_in(mace)),
                lambda: refuse(approval.pk, request=log_in(mace), note="no"),
                lambda: withdraw(approval.pk, request=log_in(ahsoka)),
            ):
                with pytest.raises(ApprovalExpired):
                    late()
        assert borrower() == "lando"
        assert approval.history.count() == (2 if marked else 1)


class TestRefuse:
    def test_it_is_refused_with_a_reason_and_nothing_is_done(self, asked, mace):
        approval = refuse(asked().pk, request=log_in(mace), note=" too many debts ")
        approval.refresh_from_db()
        assert (approval.outcome, approval.note, approval.decided_by_id) == ("refused", "too many debts", mace.pk)
        assert borrower() == "lando"
        assert approval.history.latest("history_id").history_change_reason == f"refuse approval-{approval.pk}"
        with pytest.raises(AlreadyDecided, match="mace was faster: refused"):
            agree(approval.pk, request=log_in(representative("yoda")))
        assert borrower() == "lando"

    def test_a_reason_is_needed(self, asked, mace):
        approval = asked()
        with pytest.raises(ReasonMissing):
            refuse(approval.pk, request=log_in(mace), note=" ")
        assert still_waits(approval)

    def test_whoever_asked_cannot_refuse_but_a_new_colleague_can(self, asked, ahsoka, mace):
        approval = asked()
        with pytest.raises(people.SamePerson):
            refuse(approval.pk, request=log_in(ahsoka), note="no")
        User.objects.filter(pk=mace.pk).update(date_joined=clock.now())
        assert refuse(approval.pk, request=log_in(mace), note="no").outcome == "refused"


class TestWithdraw:
    def test_whoever_asked_withdraws_and_nothing_is_done(self, asked, ahsoka, mace):
        approval = withdraw(asked().pk, request=log_in(ahsoka))
        approval.refresh_from_db()
        assert (approval.outcome, approval.decided_by_id, approval.note) == ("withdrawn", ahsoka.pk, "")
        with pytest.raises(AlreadyDecided, match="ahsoka was faster: withdrawn"):
            agree(approval.pk, request=log_in(mace))
        assert borrower() == "lando"

    def test_nobody_else_withdraws(self, asked, mace):
        approval = asked()
        with pytest.raises(people.NotTheAsker):
            withdraw(approval.pk, request=log_in(mace))
        assert still_waits(approval)
