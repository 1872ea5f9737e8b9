"""The audit trail: who changed what, because of what.

Every audited model declares `history = AuditTrail(...)`. A change is written inside `with cause(...)`, which says
the actor (a person, or a part of the system) and the correlation id (the requestId or price event behind it).
History tables are append-only in the database itself, so the actor is kept as plain id and name, not as a foreign
key. Bulk writes, which send no signals, go through `write_recorded`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from django.db import connection, models
from simple_history.models import HistoricalRecords

CREATED: Literal["+"] = "+"
CHANGED: Literal["~"] = "~"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a row changes: `action` by `actor_name`, set off by what `correlation_id` names."""

    action: str
    correlation_id: str
    actor_name: str = "system"
    actor_id: int | None = None

    @property
    def reason(self) -> str:
        """The text kept in `history_change_reason`: the action, then the correlation id."""
        return f"{self.action} {self.correlation_id}".strip()


class NoCause(RuntimeError):
    """An audited row was written outside `with cause(...)`: a programming error."""


_current: ContextVar[Cause | None] = ContextVar("cause", default=None)


def current_cause() -> Cause:
    """The cause in force. Raises NoCause outside `with cause(...)`."""
    found = _current.get()
    if found is None:
        raise NoCause("an audited row was written without saying why: wrap the write in audit.cause(...)")
    return found


@contextmanager
def cause(
    action: str, *, correlation_id: str, actor_name: str | None = None, actor_id: int | None = None
) -> Iterator[Cause]:
    """Name the cause of all audited writes of a block. An inner block without an actor keeps the outer one's."""
    outer = _current.get()
    if actor_name is None:
        actor_name = outer.actor_name if outer else "system"
        actor_id = outer.actor_id if outer else None
    token = _current.set(Cause(action, correlation_id, actor_name, actor_id))
    try:
        yield current_cause()
    finally:
        _current.reset(token)


class AuditEntry(models.Model):
    """What every history row carries beside simple-history's own columns."""

    history_actor = models.CharField(max_length=150)

    class Meta:
        abstract = True


def _actor(entry: Any) -> str:
    return str(entry.history_actor)


def _set_actor(entry: Any, _user: object) -> None:
    found = current_cause()
    entry.history_user_id = found.actor_id
    entry.history_actor = found.actor_name


class AuditTrail(HistoricalRecords):  # type: ignore[misc]
    """simple-history for append-only tables: 64-bit ids, plain actor, reason from `cause(...)`.

    `unaudited` names bookkeeping columns (leases, fences, due times, send counters) and generated columns that are
    not history; a `save(update_fields=...)` of such columns alone writes no history row. History is read by row, so
    the row's id is its only index: others would cost every write and serve nobody.
    """

    def __init__(self, *, unaudited: Iterable[str] = (), **kwargs: Any) -> None:
        kwargs.setdefault("history_id_field", models.BigAutoField())
        kwargs.setdefault("history_user_id_field", models.BigIntegerField(null=True))
        kwargs.setdefault("history_user_getter", _actor)
        kwargs.setdefault("history_user_setter", _set_actor)
        kwargs.setdefault("history_change_reason_field", models.TextField())
        kwargs.setdefault("bases", (AuditEntry,))
        kwargs.setdefault("excluded_fields", list(unaudited))
        super().__init__(**kwargs)

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        """The model's columns; of their indexes only the one on the row's id is kept."""
        fields: dict[str, Any] = super().copy_fields(model)
        for field in fields.values():
            if field.name != model._meta.pk.name:
                field.db_index = False
        return fields

    def get_change_reason_for_object(self, instance: Any, history_type: str, using: str | None) -> str:
        """The reason of the cause in force."""
        return current_cause().reason

    def get_history_user(self, instance: Any) -> None:
        """Nobody: the actor comes from the cause in force, through the setter."""
        return

    def post_save(self, instance: Any, created: bool, using: str | None = None, **kwargs: Any) -> None:
        """Write a history row, unless only unaudited columns were saved."""
        saved = kwargs.get("update_fields")
        if saved is not None and set(saved) <= set(self.excluded_fields):
            return
        super().post_save(instance, created, using=using, **kwargs)


@lru_cache(maxsize=64)  # each look at `model.history` makes a class
def audited_columns(model: type[models.Model]) -> tuple[str, ...]:
    """The columns of an audited model that its history keeps, in the model's order."""
    return tuple(field.column for field in model.history.model.tracked_fields)  # type: ignore[attr-defined]


@lru_cache(maxsize=64)
def _recording(model: type[models.Model]) -> tuple[str, str]:
    """What is written before and after a statement so that it writes history, too."""
    columns, history = audited_columns(model), model.history.model._meta.db_table  # type: ignore[attr-defined]
    returned = ", ".join(f'"{model._meta.db_table}"."{column}"' for column in columns)
    kept = ", ".join(f'"{column}"' for column in columns)
    return (
        "WITH written AS (",
        f' RETURNING {returned}), recorded AS (INSERT INTO "{history}" ({kept}, history_date, history_type,'  # noqa: S608
        f" history_change_reason, history_user_id, history_actor) SELECT {kept}, clock_timestamp(), %(history_type)s,"
        " %(history_reason)s, %(history_user)s, %(history_actor)s FROM written ORDER BY id)"
        " SELECT id FROM written ORDER BY id",
    )


def write_recorded(
    model: type[models.Model], statement: str, parameters: Mapping[str, Any], kind: Literal["+", "~"]
) -> list[int]:
    """Run one INSERT or UPDATE of `model`'s table and write the history of every row it touches, in one statement.

    `statement` has no RETURNING; its parameters are named. Returns the ids of the rows, ascending. What a batch of
    hundreds costs is one round trip, and no row's history can be forgotten. Raises NoCause.
    """
    found = current_cause()
    before, after = _recording(model)
    with connection.cursor() as cursor:
        cursor.execute(
            before + statement + after,
            {
                **parameters,
                "history_type": kind,
                "history_reason": found.reason,
                "history_user": found.actor_id,
                "history_actor": found.actor_name,
            },
        )
        return [pk for (pk,) in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class _Write:
    """One row's INSERT or UPDATE; `kind` is None if no history keeps what it writes."""

    row: models.Model
    statement: str
    parameters: Mapping[str, Any]
    kind: Literal["+", "~"] | None
    cause: Cause | None


_gathered: ContextVar[list[_Write] | None] = ContextVar("gathered", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Make what `create`, `save`, `note` and `add` write in a block one statement, sent at its end.

    A block inside joins it. Nothing of it can be read before. Each row is written at most once: PostgreSQL would drop
    the second write of a statement, so that raises ValueError. A new row has its id after the block.
    """
    if _gathered.get() is not None:
        yield
        return
    writes: list[_Write] = []
    token = _gathered.set(writes)
    try:
        yield
    finally:
        _gathered.reset(token)
    _send(writes)


def create(row: models.Model) -> None:
    """Insert a row and its history in one statement, and give the row its id.

    What `row.save()` does with simple-history in two statements and a second model instance. Raises NoCause.
    """
    statement, names = _insert(type(row))
    _write(_Write(row, statement, _parameters(row, names), CREATED, current_cause()))


def save(row: models.Model, *names: str) -> None:
    """Write the named columns of a row, which the caller has locked, and its history, in one statement.

    At least one of them is audited. Raises NoCause.
    """
    parameters = _parameters(row, names) | {"pk": row.pk}
    _write(_Write(row, _update(type(row), names), parameters, CHANGED, current_cause()))


def note(row: models.Model, *names: str) -> None:
    """Write the named columns of a row, which the caller has locked: bookkeeping that no history keeps.

    Raises ValueError if history does keep one of them.
    """
    kept = {name for name in names if _column(type(row), name) in audited_columns(type(row))}
    if kept:
        raise ValueError(f"history keeps {', '.join(sorted(kept))}")
    _write(_Write(row, _update(type(row), names), _parameters(row, names) | {"pk": row.pk}, None, None))


def add(row: models.Model) -> None:
    """Insert a row of a model that has no history, and give it its id. Raises ValueError if it has one."""
    if hasattr(type(row), "history"):
        raise ValueError(f"history keeps {type(row).__name__}")
    statement, names = _insert(type(row))
    _write(_Write(row, statement, _parameters(row, names), None, None))


def _write(write: _Write) -> None:
    """Send a write now, or with the others of its block."""
    gathered = _gathered.get()
    if gathered is None:
        _send([write])
        return
    if write.row.pk is not None and any(_same_row(write.row, other.row) for other in gathered):
        raise ValueError(f"{write.row!r} is written twice in one statement")
    gathered.append(write)


def _same_row(one: models.Model, other: models.Model) -> bool:
    return type(one) is type(other) and one.pk == other.pk


def _send(writes: Sequence[_Write]) -> None:
    if not writes:
        return
    statement = _together(tuple((type(write.row), write.statement, write.kind) for write in writes))
    parameters: dict[str, Any] = {}
    for number, write in enumerate(writes):
        parameters |= {f"{number}_{name}": value for name, value in write.parameters.items()}
        if write.cause:
            parameters |= {
                f"{number}_history_type": write.kind,
                f"{number}_history_reason": write.cause.reason,
                f"{number}_history_user": write.cause.actor_id,
                f"{number}_history_actor": write.cause.actor_name,
            }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        pks = cursor.fetchone()
    for write, pk in zip(writes, pks, strict=True):
        write.row.pk = pk
        write.row._state.adding = False


@lru_cache(maxsize=128)
def _together(writes: tuple[tuple[type[models.Model], str, str | None], ...]) -> str:
    """One statement of several writes, each with its history; it answers with the id of each row."""
    parts: list[str] = []
    for number, (model, statement, kind) in enumerate(writes):
        if kind is None:
            parts.append(_numbered(f"written AS ({statement} RETURNING id)", number))
            continue
        before, after = _recording(model)
        parts.append(_numbered(f"{before.removeprefix('WITH ')}{statement}{after.rpartition(' SELECT ')[0]}", number))
    ids = ", ".join(f"(SELECT id FROM written_{number})" for number in range(len(writes)))  # noqa: S608
    return f"WITH {', '.join(parts)} SELECT {ids}"


def _numbered(text: str, number: int) -> str:
    """The text with names of its own: those of its two parts, and those of its parameters."""
    return re.sub(r"%\(", f"%({number}_", re.sub(r"\b(written|recorded)\b", rf"\1_{number}", text))


@lru_cache(maxsize=64)
def _insert(model: type[models.Model]) -> tuple[str, tuple[str, ...]]:
    fields = [field for field in model._meta.local_concrete_fields if not (field.primary_key or field.generated)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(f"%({field.name})s" for field in fields)
    statement = f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({values})'  # noqa: S608
    return statement, tuple(field.name for field in fields)


def _column(model: type[models.Model], name: str) -> str:
    field: Any = model._meta.get_field(name)
    return str(field.column)


@lru_cache(maxsize=64)
def _update(model: type[models.Model], names: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{_column(model, name)}" = %({name})s' for name in names)
    return f'UPDATE "{model._meta.db_table}" SET {changes} WHERE id = %(pk)s'  # noqa: S608


def _parameters(row: models.Model, names: Iterable[str]) -> dict[str, Any]:
    fields: Iterable[Any] = (row._meta.get_field(name) for name in names)
    return {field.name: field.get_db_prep_save(getattr(row, field.attname), connection=connection) for field in fields}


def append_only(*tables: str) -> list[tuple[str, str]]:
    """SQL for a migration that makes the database refuse UPDATE, DELETE and TRUNCATE on `tables`.

    Returns (forward, backward) pairs for migrations.RunSQL.
    """
    statements = [
        (
            "CREATE OR REPLACE FUNCTION coruscant_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP"
            " USING ERRCODE = 'restrict_violation'; END $$",
            "SELECT 1",
        )
    ]
    for table in tables:
        statements.append(
            (
                f'CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE ON "{table}"'
                " FOR EACH ROW EXECUTE FUNCTION coruscant_refuse_change();"
                f'CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON "{table}"'
                " FOR EACH STATEMENT EXECUTE FUNCTION coruscant_refuse_change()",
                f'DROP TRIGGER {table}_refuses_change ON "{table}";DROP TRIGGER {table}_refuses_truncate ON "{table}"',
            )
        )
    return statements
