"""What nobody decided in time is marked, and nothing else."""

from datetime import timedelta

import pytest

from coruscant import clock
from coruscant.approvals.decide import agree, withdraw
from coruscant.approvals.expire import expire_overdue
from coruscant.approvals.tasks import expire_approvals
from coruscant.approvals.tests.support import log_in

pytestmark = pytest.mark.django_db


def test_it_expires_at_its_instant_and_not_before(asked):
    approval = asked()
    at = approval.expires_at
    with clock.driven_by(lambda: at - timedelta(microseconds=1)):
        assert expire_overdue() == 0
    with clock.driven_by(lambda: at):
        assert (expire_overdue(), expire_overdue()) == (1, 0)
    approval.refresh_from_db()
    assert (approval.outcome, approval.decided_by_id, approval.decided_at) == ("expired", None, at)
    entry = approval.history.latest("history_id")
    assert (entry.history_actor, entry.history_change_reason) == ("system", "expire approvals")


def test_the_task_marks_what_waits_and_leaves_what_is_decided(asked, mace, ahsoka):
    done, withdrawn, waiting = asked("han"), asked("leia"), asked("chewbacca")
    agree(done.pk, request=log_in(mace))
    withdraw(withdrawn.pk, request=log_in(ahsoka))
    with clock.driven_by(lambda: waiting.expires_at):
        expire_approvals()
    for approval, outcome in ((done, "executed"), (withdrawn, "withdrawn"), (waiting, "expired")):
        approval.refresh_from_db()
        assert approval.outcome == outcome
