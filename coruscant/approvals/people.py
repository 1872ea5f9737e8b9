"""Who may ask, and who may agree. Superusers have every permission, and are no exception to any other rule."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.http import HttpRequest

from coruscant.approvals.actions import Action
from coruscant.approvals.models import Approval
from coruscant.errors import DomainError

#: Whoever can make accounts could otherwise make the second person, too, and nobody would have a night to notice it.
ACCOUNT_AGE = timedelta(days=1)
#: Beside the permission of the action itself.
DECIDE = "approvals.change_approval"
_LONGEST_ACTOR = 150


class LogInNeeded(DomainError):
    """Somebody decided without a log-in of their own: on the command line, or with a credential of the API."""

    code = "log-in-needed"
    title = "Deciding needs a log-in"
    status: ClassVar[int] = 403


class AccountInactive(DomainError):
    """The account of one of the two is no longer active, or is gone."""

    code = "account-inactive"
    title = "The account is not active"
    status: ClassVar[int] = 403


class NotPermitted(DomainError):
    """One of the two lacks a permission."""

    code = "not-permitted"
    title = "A permission is missing"
    status: ClassVar[int] = 403


class SamePerson(DomainError):
    """Whoever asked decided as well."""

    code = "same-person"
    title = "It takes a second person"
    status: ClassVar[int] = 403


class AccountTooYoung(DomainError):
    """The second person's account is younger than ACCOUNT_AGE."""

    code = "account-too-young"
    title = "The account is too young"
    status: ClassVar[int] = 403


class NotTheAsker(DomainError):
    """Somebody else withdrew what a person had asked."""

    code = "not-the-asker"
    title = "Only whoever asked may withdraw"
    status: ClassVar[int] = 403


def logged_in(request: HttpRequest) -> User:
    """Whose session the request belongs to, as the database knows them now. Raises LogInNeeded."""
    session = getattr(request, "session", None) or {}
    signed_in = session.get(SESSION_KEY)
    if not request.user.is_authenticated or signed_in != str(request.user.pk):
        raise LogInNeeded("Log in to the admin to decide: nothing else proves who you are.")
    person = User.objects.filter(pk=request.user.pk).first()
    if person is None:
        raise LogInNeeded("Your account is gone.")
    return person


def check_may_ask(person: User, action: Action) -> None:
    """Raises AccountInactive, NotPermitted."""
    _check_holds(person, action.permission)


def still_asking(approval: Approval, action: Action) -> User:
    """Whoever asked, if they still might: somebody who has left the bank is no second person.

    Raises AccountInactive, NotPermitted.
    """
    asker = User.objects.filter(pk=approval.asked_by_id).first()
    if asker is None:
        raise AccountInactive(f"The account of {approval.asked_by_name}, who asked, is gone.")
    _check_holds(asker, action.permission)
    return asker


def check_may_agree(person: User, approval: Approval, action: Action, now: datetime) -> None:
    """Raises SamePerson, AccountTooYoung, AccountInactive, NotPermitted. `now` is by the database's clock."""
    check_may_refuse(person, approval, action)
    if now - person.date_joined < ACCOUNT_AGE:
        raise AccountTooYoung(f"The account {person.get_username()} is younger than a day, too young to agree.")


def check_may_refuse(person: User, approval: Approval, action: Action) -> None:
    """Raises SamePerson, AccountInactive, NotPermitted."""
    if person.pk == approval.asked_by_id:
        raise SamePerson("You have asked for this yourself: somebody else has to decide.")
    _check_holds(person, action.permission, DECIDE)


def check_may_withdraw(person: User, approval: Approval) -> None:
    """Raises NotTheAsker."""
    if person.pk != approval.asked_by_id:
        raise NotTheAsker(f"Only {approval.asked_by_name}, who asked, may withdraw it; others may refuse it.")


def both(asked_by: User, agreed_by: User) -> str:
    """How history names the two, shortened to what it holds."""
    return f"{asked_by.get_username()} and {agreed_by.get_username()}"[:_LONGEST_ACTOR]


def _check_holds(person: User, *permissions: str) -> None:
    if not person.is_active:
        raise AccountInactive(f"The account {person.get_username()} is not active.")
    for permission in permissions:
        if not person.has_perm(permission):
            raise NotPermitted(f"{person.get_username()} does not have the permission {permission}.")
