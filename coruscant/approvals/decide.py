"""A second person agrees or refuses, or whoever asked withdraws. One wins; the others are told who was faster."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import structlog
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest

from coruscant import clock, failpoints, history
from coruscant.approvals import actions, people
from coruscant.approvals.actions import Action
from coruscant.approvals.ask import a_reason
from coruscant.approvals.models import Approval, Outcome
from coruscant.errors import DomainError

log = structlog.get_logger(__name__)


class AlreadyDecided(DomainError):
    """Somebody else was faster."""

    code = "already-decided"
    title = "This has been decided already"
    status: ClassVar[int] = 409


class ApprovalExpired(DomainError):
    """Nobody decided in time."""

    code = "approval-expired"
    title = "This has expired"
    status: ClassVar[int] = 409


class EffectHasChanged(DomainError):
    """Executed now, the action would do something else than both people were shown."""

    code = "effect-has-changed"
    title = "The effect is no longer the same"
    status: ClassVar[int] = 409


class NotExecuted(DomainError):
    """Both people agreed, and nothing was done, since it can no longer be. The approval is marked as failed."""

    code = "not-executed"
    title = "It can no longer be done"
    status: ClassVar[int] = 409


def agree(approval_id: int, *, request: HttpRequest) -> Approval:
    """Do what was asked, in the name of both: once, in the transaction that marks it.

    `request` proves who agrees, by its session. The action looks again at rows that it has locked. If it would do
    something else by now, or can no longer be done, the approval is marked as failed and nothing else changes.

    Locks: the approval, then what the action locks. Raises LogInNeeded, AlreadyDecided, ApprovalExpired, SamePerson,
    AccountTooYoung, AccountInactive, NotPermitted, UnknownAction, Approval.DoesNotExist; then it goes on waiting.
    Raises NotExecuted when it was marked as failed, and OperationalError when the database was lost.
    """
    with _deciding(approval_id, request, "agree") as decision:
        approval, person = decision.approval, decision.person
        action = actions.named(approval.action)
        people.check_may_agree(person, approval, action, decision.now)
        asker = people.still_asking(approval, action)
        try:
            with transaction.atomic():
                done = _execute(action, approval, asked_by=asker, agreed_by=person)
        except DomainError as error:
            if connection.needs_rollback:  # not even the savepoint could be rolled back
                raise OperationalError("The database was lost; nothing was decided.") from error
            decision.save(Outcome.FAILED, str(error) or error.title)
        else:
            failpoints.reach("approval.executed")
            decision.save(Outcome.EXECUTED, done)
            failpoints.reach("approval.written")
    failpoints.reach("approval.committed")
    if approval.outcome == Outcome.FAILED:
        raise NotExecuted(f"Nothing was done. {approval.note}")
    return approval


def refuse(approval_id: int, *, request: HttpRequest, note: str) -> Approval:
    """Say no, and why. It can be asked again. Raises as `agree`, and ReasonMissing."""
    reason = a_reason(note)
    with _deciding(approval_id, request, "refuse") as decision:
        action = actions.named(decision.approval.action)
        people.check_may_refuse(decision.person, decision.approval, action)
        decision.save(Outcome.REFUSED, reason)
    return decision.approval


def withdraw(approval_id: int, *, request: HttpRequest) -> Approval:
    """Take back what one has asked. Raises LogInNeeded, AlreadyDecided, ApprovalExpired, NotTheAsker."""
    with _deciding(approval_id, request, "withdraw") as decision:
        people.check_may_withdraw(decision.person, decision.approval)
        decision.save(Outcome.WITHDRAWN, "")
    return decision.approval


@dataclass(frozen=True, slots=True)
class _Decision:
    """An approval that is locked and waits, and who decides it when."""

    approval: Approval
    person: User
    now: datetime
    verb: str

    def save(self, outcome: Outcome, note: str) -> None:
        """Mark the approval. The cause is named again, since an action may have named others."""
        history.set_cause(self.verb, correlation_id=f"approval-{self.approval.pk}")
        self.approval.outcome = outcome
        self.approval.decided_by_id = self.person.pk
        self.approval.decided_by_name = self.person.get_username()
        self.approval.decided_at = self.now
        self.approval.note = note
        self.approval.save(update_fields=["outcome", "decided_by_id", "decided_by_name", "decided_at", "note"])


@contextmanager
def _deciding(approval_id: int, request: HttpRequest, verb: str) -> Iterator[_Decision]:
    """The transaction of a decision: it begins with the lock that only one of several deciders gets."""
    with transaction.atomic(durable=True):
        approval = Approval.objects.select_for_update().get(pk=approval_id)
        person = people.logged_in(request)
        now = clock.now()
        _check_waits(approval, now)
        with history.acting_as(person.get_username(), person.pk):
            yield _Decision(approval, person, now, verb)
    log.info(
        "approval_decided", approval_id=approval_id, action=approval.action, outcome=approval.outcome,
        actor=approval.decided_by_name,
    )  # fmt: skip


def _check_waits(approval: Approval, now: datetime) -> None:
    if approval.outcome == Outcome.EXPIRED or (approval.outcome == Outcome.ASKED and now >= approval.expires_at):
        raise ApprovalExpired("It has expired: nobody decided in time. It can be asked again.")
    if approval.outcome != Outcome.ASKED:
        raise AlreadyDecided(
            f"{approval.decided_by_name} was faster: {Outcome(approval.outcome).label.lower()}. Nothing was changed."
        )


def _execute(action: Action, approval: Approval, *, asked_by: User, agreed_by: User) -> str:
    """Look again at locked rows, then do it. Raises EffectHasChanged, and what the action raises."""
    with history.acting_as(people.both(asked_by, agreed_by), agreed_by.pk):
        history.set_cause(action.name, correlation_id=f"approval-{approval.pk}")
        action.lock(approval.arguments)
        effect = action.effect(approval.arguments)
        if effect != approval.effect:
            raise EffectHasChanged(f"It would now be something else than was asked: {effect}")
        return action.execute(approval.arguments, asked_by=asked_by, agreed_by=agreed_by)
