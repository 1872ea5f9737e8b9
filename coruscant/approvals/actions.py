"""What may need two people: the apps register their actions here, each under a name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from django.contrib.auth.models import AnonymousUser, User

from coruscant.approvals.arguments import Arguments
from coruscant.errors import DomainError


class Execute(Protocol):
    """Does what two people have agreed on, and returns one sentence that says what was done."""

    def __call__(self, arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
        """Raises DomainError if it cannot be done; then nothing of it stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that is done when a second person agrees to it.

    All three functions take the arguments as they are stored (`arguments.read` reads them), and raise a DomainError
    when the action makes no sense, or no longer does.

    - `effect` says in words what executing it would do now. Both people are shown this text. It is computed again when
      the action is executed, and if it is another one by then, nothing is done: so it names everything that matters to
      the decision, and nothing that changes by itself, such as the time.
    - `lock` locks every row that the other two read, to the end of the transaction, in the order of
      docs/decisions/0006. It is called before them when the action is executed.
    - `execute` writes, in the transaction that is open: it begins none that must be the outermost, and calls nothing
      over the network. A cause is named and both people are the actor; it may name causes of its own.
    """

    name: str
    title: str
    #: What both people need, such as `liquidation.change_tradeorder`.
    permission: str
    lock: Callable[[Arguments], object]
    effect: Callable[[Arguments], str]
    execute: Execute
    #: Adds to what somebody asks for what is true now, for a figure that changes by itself: `effect` shows it, and
    #: `execute` compares it with what is true then. Raises a DomainError as the others do.
    complete: Callable[[Arguments], Arguments] | None = None


class UnknownAction(DomainError):
    """There is no action of this name, or not in this release."""

    code = "unknown-action"
    title = "There is no such action"
    status: ClassVar[int] = 422


_actions: dict[str, Action] = {}


def register(action: Action) -> None:
    """Add an action; the apps do it in `ready()`. Raises ValueError if its name is taken."""
    if _actions.setdefault(action.name, action) is not action:
        raise ValueError(f"there is an action {action.name} already")


def named(name: str) -> Action:
    """The action of this name. Raises UnknownAction."""
    try:
        return _actions[name]
    except KeyError:
        known = ", ".join(sorted(_actions)) or "none"
        raise UnknownAction(f"There is no action {name}. The actions are: {known}.") from None


def permitted(person: User | AnonymousUser) -> list[str]:
    """The names of the actions that this person has the permission for."""
    return [name for name, action in _actions.items() if person.has_perm(action.permission)]


def title_of(name: str) -> str:
    """How people call the action; its name if this release does not know it."""
    return _actions[name].title if name in _actions else name
