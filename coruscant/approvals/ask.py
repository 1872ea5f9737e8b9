"""Asking for something that needs two people."""

from datetime import timedelta
from typing import ClassVar

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from coruscant import clock, history
from coruscant.approvals import actions, people
from coruscant.approvals.arguments import Arguments, exact
from coruscant.approvals.expire import expire_overdue
from coruscant.approvals.models import ASKED_ONCE, Approval
from coruscant.errors import DomainError
from coruscant.text import is_storable

log = structlog.get_logger(__name__)


class ReasonMissing(DomainError):
    """Somebody asked, or refused, without saying why."""

    code = "reason-missing"
    title = "A reason is needed"
    status: ClassVar[int] = 422


class AlreadyAsked(DomainError):
    """The same is waiting for a second person already."""

    code = "already-asked"
    title = "This has been asked for already"
    status: ClassVar[int] = 409


def ask(name: str, arguments: Arguments, *, why: str, asked_by: User, on_command_line: bool = False) -> Approval:
    """Ask for the action `name`; it is done when somebody else agrees within APPROVAL_EXPIRY_HOURS.

    Decimals in `arguments` are stored as strings. Nothing but the approval is written, and no row is locked. Raises
    UnknownAction, ArgumentsDoNotFit, ReasonMissing, AccountInactive, NotPermitted, AlreadyAsked, and whatever the
    action raises when it makes no sense.
    """
    action = actions.named(name)
    people.check_may_ask(asked_by, action)
    stored, reason = exact(arguments), a_reason(why)
    if action.complete is not None:
        stored = exact(action.complete(stored))
    effect = action.effect(stored)
    expire_overdue()
    with (
        history.acting_as(asked_by.get_username(), asked_by.pk),
        history.cause("ask", correlation_id=name),
    ):
        now = clock.now()
        try:
            with transaction.atomic():
                approval = Approval.objects.create(
                    action=name,
                    arguments=stored,
                    effect=effect,
                    why=reason,
                    asked_by_id=asked_by.pk,
                    asked_by_name=asked_by.get_username(),
                    asked_at=now,
                    on_command_line=on_command_line,
                    expires_at=now + timedelta(hours=settings.APPROVAL_EXPIRY_HOURS),
                )
        except IntegrityError as error:
            if error.__cause__.diag.constraint_name != ASKED_ONCE:  # type: ignore[union-attr]
                raise
            raise AlreadyAsked("Exactly this is waiting for a second person already.") from None
    log.info("approval_asked", approval_id=approval.pk, action=name, actor=approval.asked_by_name)
    return approval


def a_reason(text: str) -> str:
    """What a person gives as a reason, without the blanks around it. Raises ReasonMissing."""
    found = text.strip()
    if not found or not is_storable(found):
        raise ReasonMissing("Say why, in words, for the other person.")
    return found
