"""Why rows change: settings of the transaction that the history triggers read.

PostgreSQL forgets them when the transaction ends, however it ends, and leaves an empty string behind in the session:
empty is no cause.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db import connection, transaction

REASON, ACTOR_NAME, ACTOR_ID = "coruscant.reason", "coruscant.actor_name", "coruscant.actor_id"

#: For a statement that names the cause while it does something else: three columns of a SELECT. They take the
#: parameters of `Cause.parameters`. PostgreSQL does not evaluate them for a row that is not found, nor in a WITH that
#: nothing refers to.
COLUMNS = ", ".join(
    f"set_config('{name}', %({name.partition('.')[2]})s, true)" for name in (REASON, ACTOR_NAME, ACTOR_ID)
)


@dataclass(frozen=True, slots=True)
class Cause:
    """`action` by `actor_name`, caused by what `correlation_id` names: a requestId, an order's id or a price event."""

    action: str
    correlation_id: str
    actor_name: str = "system"
    actor_id: int | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """What `COLUMNS` asks for."""
        return {
            "reason": f"{self.action} {self.correlation_id}".strip(),
            "actor_name": self.actor_name,
            "actor_id": "" if self.actor_id is None else str(self.actor_id),
        }


_actor: ContextVar[tuple[str, int | None]] = ContextVar("actor", default=("system", None))
_NO_CAUSE = Cause("", "", actor_name="")
_in_force: ContextVar[Cause] = ContextVar("cause", default=_NO_CAUSE)


def cause_of(action: str, correlation_id: str) -> Cause:
    """The cause of an action by whoever acts now."""
    return Cause(action, correlation_id, *_actor.get())


@contextmanager
def acting_as(name: str, user_id: int | None) -> Iterator[None]:
    """Name the person or client behind all causes of a block; outside of any it is the system itself."""
    token = _actor.set((name, user_id))
    try:
        yield
    finally:
        _actor.reset(token)


@contextmanager
def cause(action: str, *, correlation_id: str) -> Iterator[None]:
    """A transaction, or a savepoint within one, all of whose audited writes have this cause.

    The end of a transaction, or a rollback to the savepoint, undoes the setting. A savepoint that is released would
    leak it into what follows, so the cause that was in force before is put back.
    """
    nested = connection.in_atomic_block
    outer = _in_force.get() if nested else _NO_CAUSE
    with transaction.atomic():
        new = cause_of(action, correlation_id)
        _set(new)
        token = _in_force.set(new)
        try:
            yield
        finally:
            _in_force.reset(token)
        if nested:
            _set(outer)


def set_cause(action: str, *, correlation_id: str) -> None:
    """Name the cause of what follows in the transaction that is open, up to its end or the next cause.

    For a transaction whose writes have several causes, or that learns its cause on the way. That transaction must be
    the outermost (`transaction.atomic(durable=True)`), or the cause would outlive it.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a cause lasts for a transaction, and none is open")
    _set(cause_of(action, correlation_id))


def _set(found: Cause) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS}", found.parameters)
