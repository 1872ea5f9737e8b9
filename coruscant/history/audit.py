"""The audit trail: who changed what, because of what.

Every audited model declares `history = AuditTrail(...)`. A change is written inside `with cause(...)`, which says
the actor (a person, or a part of the system) and the correlation id (the requestId or price event behind it).
History tables are append-only in the database itself, so the actor is kept as plain id and name, not as a foreign
key. Bulk writes, which send no signals, go through `write_recorded`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Self

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


class Overtaken(RuntimeError):
    """A row is no longer as it was when the caller read it: nothing of the statement was written."""


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


@lru_cache(maxsize=256)
def _recorded(model: type[models.Model], statement: str, key: str = "") -> str:
    """Two parts of a WITH: `written…` is the statement's rows, `recorded…` writes their history.

    The key is part of their names and of the history's parameters.
    """
    columns, history = audited_columns(model), model.history.model._meta.db_table  # type: ignore[attr-defined]
    returned = ", ".join(f'"{model._meta.db_table}"."{column}"' for column in columns)
    kept = ", ".join(f'"{column}"' for column in columns)
    return (
        f'written{key} AS ({statement} RETURNING {returned}), recorded{key} AS (INSERT INTO "{history}" ({kept},'  # noqa: S608
        f" history_date, history_type, history_change_reason, history_user_id, history_actor) SELECT {kept},"
        f" clock_timestamp(), %({key}history_type)s, %({key}history_reason)s, %({key}history_user)s,"
        f" %({key}history_actor)s FROM written{key} ORDER BY id)"
    )


def _why(found: Cause, kind: Literal["+", "~"], key: str = "") -> dict[str, Any]:
    """The history's parameters in `_recorded`."""
    return {
        f"{key}history_type": kind,
        f"{key}history_reason": found.reason,
        f"{key}history_user": found.actor_id,
        f"{key}history_actor": found.actor_name,
    }


def write_recorded(
    model: type[models.Model], statement: str, parameters: Mapping[str, Any], kind: Literal["+", "~"]
) -> list[int]:
    """Run one INSERT or UPDATE of `model`'s table and write the history of every row it touches, in one statement.

    `statement` has no RETURNING; its parameters are named. Returns the ids of the rows, ascending. What a batch of
    hundreds costs is one round trip, and no row's history can be forgotten. Raises NoCause.
    """
    why = _why(current_cause(), kind)
    with connection.cursor() as cursor:
        recording = f"WITH {_recorded(model, statement)} SELECT id FROM written ORDER BY id"  # noqa: S608
        cursor.execute(recording, {**parameters, **why})
        return [pk for (pk,) in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class _Write:
    """One row to be inserted, or whose named columns are to be updated; without a cause no history keeps it.

    If the row must still hold what is `expected`, `unless` a query finds anything, it is a condition for the others.
    """

    row: models.Model
    names: tuple[str, ...] | None
    values: Mapping[str, Any]
    cause: Cause | None
    expected: Mapping[str, Any] | None = None
    unless: str = ""

    @classmethod
    def of(cls, row: models.Model, names: tuple[str, ...] | None, cause: Cause | None) -> Self:
        """A write of what the row holds now."""
        return cls(row, names, _values(row, names), cause)

    @property
    def shape(self) -> "_Shape":
        """What its part of the statement depends on."""
        return _Shape(type(self.row), self.names, self.cause is not None, tuple(self.expected or ()), self.unless)


class _Shape(NamedTuple):
    model: type[models.Model]
    names: tuple[str, ...] | None
    audited: bool
    expected: tuple[str, ...]
    unless: str


_gathered: ContextVar[list[_Write] | None] = ContextVar("gathered", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Make what this module writes of single rows in a block one statement, sent at its end.

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
    if writes:
        _send(writes)


def create(row: models.Model) -> None:
    """Insert a row and its history in one statement, and give the row its id.

    What `row.save()` does with simple-history in two statements and a second model instance. Raises NoCause.
    """
    _write(_Write.of(row, None, current_cause()))


def save(row: models.Model, *names: str) -> None:
    """Write the named columns of a row, which the caller has locked, and its history, in one statement.

    At least one of them is audited. Raises NoCause, and the model's DoesNotExist if the row is not there.
    """
    _write(_Write.of(row, names, current_cause()))


def save_if_still(row: models.Model, expected: Mapping[str, Any], *names: str, unless: str) -> None:
    """As `save`, for a row that the caller has read and not locked: if its columns still hold what is `expected`.

    If they do not (None equals nothing), if the query `unless` finds anything, which may name the row's table, or if
    somebody holds the row, nothing is written, and whoever sends it raises Overtaken: it never waits for the row. It is
    the first write of its block, and only new rows may stand beside it: they are written if it is.
    """
    if _gathered.get() or not expected:
        raise ValueError(f"{row!r} may have changed, and something would be written all the same")
    prepared = {name: _field(type(row), name).get_db_prep_save(value, connection) for name, value in expected.items()}
    _write(replace(_Write.of(row, names, current_cause()), expected=prepared, unless=unless))


def note(row: models.Model, *names: str) -> None:
    """Write the named columns of a row, which the caller has locked: bookkeeping that no history keeps.

    Raises ValueError if history does keep one of them, and the model's DoesNotExist if the row is not there.
    """
    kept = {name for name in names if _column(type(row), name) in audited_columns(type(row))}
    if kept:
        raise ValueError(f"history keeps {', '.join(sorted(kept))}")
    _write(_Write.of(row, names, None))


def add(row: models.Model) -> None:
    """Insert a row of a model that has no history, and give it its id. Raises ValueError if it has one."""
    if hasattr(type(row), "history"):
        raise ValueError(f"history keeps {type(row).__name__}")
    _write(_Write.of(row, None, None))


def _write(write: _Write) -> None:
    """Send a write now, or with the others of its block."""
    gathered = _gathered.get()
    if gathered is None:
        _send([write])
        return
    if any(write.row is other.row or write.row == other.row for other in gathered):
        raise ValueError(f"{write.row!r} is written twice in one statement")
    if gathered and gathered[0].expected and write.names is not None:
        raise ValueError(f"{write.row!r} is no new row beside one that may have changed")
    gathered.append(write)


def _send(writes: Sequence[_Write]) -> None:
    statement = _together(tuple(write.shape for write in writes))
    parameters: dict[str, Any] = {}
    for number, write in enumerate(writes):
        key = _key(number)
        parameters |= {f"{key}{name}": value for name, value in write.values.items()}
        parameters |= {f"{key}expected_{name}": value for name, value in (write.expected or {}).items()}
        if write.cause:
            parameters |= _why(write.cause, CREATED if write.names is None else CHANGED, key)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        pks = cursor.fetchone()
    if writes[0].expected and pks[0] is None:
        raise Overtaken(f"{writes[0].row!r} has changed")
    for write, pk in zip(writes, pks, strict=True):
        if pk is None:
            raise type(write.row).DoesNotExist(f"there is no {write.row!r} to be written")  # type: ignore[attr-defined]
        write.row.pk = pk
        write.row._state.adding = False


@lru_cache(maxsize=128)
def _together(writes: tuple[_Shape, ...]) -> str:
    """One statement of several writes, each with its history; it answers with the id of each row."""
    parts: list[str] = []
    for number, (model, names, audited, expected, unless) in enumerate(writes):
        key = _key(number)
        if names is None:
            statement = _insert(model, key, f"EXISTS (SELECT FROM written{_key(0)})" if writes[0].expected else "")
        else:
            statement = _update(model, names, key, _as_expected(model, key, expected, unless) if expected else "")
        parts.append(_recorded(model, statement, key) if audited else f"written{key} AS ({statement} RETURNING id)")
    ids = ", ".join(f"(SELECT id FROM written{_key(number)})" for number in range(len(writes)))  # noqa: S608
    return f"WITH {', '.join(parts)} SELECT {ids}"


def _key(number: int) -> str:
    return f"_{number}_"


def _insert(model: type[models.Model], key: str, condition: str) -> str:
    names = _inserted(model)
    columns = ", ".join(f'"{_column(model, name)}"' for name in names)
    values = ", ".join(f"%({key}{name})s" for name in names)
    source = f"SELECT {values} WHERE {condition}" if condition else f"VALUES ({values})"
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) {source}'


def _update(model: type[models.Model], names: tuple[str, ...], key: str, which: str) -> str:
    changes = ", ".join(f'"{_column(model, name)}" = %({key}{name})s' for name in names)
    return f'UPDATE "{model._meta.db_table}" SET {changes} WHERE id = {which or f"%({key}pk)s"}'  # noqa: S608


def _as_expected(model: type[models.Model], key: str, expected: tuple[str, ...], unless: str) -> str:
    """The row's id, locked, if it is as expected and nobody holds it."""
    same = " AND ".join(f'"{_column(model, name)}" = %({key}expected_{name})s' for name in expected)
    return (
        f'(SELECT id FROM "{model._meta.db_table}" WHERE id = %({key}pk)s AND {same}'  # noqa: S608
        f" AND NOT EXISTS ({unless}) FOR UPDATE SKIP LOCKED)"
    )


@lru_cache(maxsize=64)
def _inserted(model: type[models.Model]) -> tuple[str, ...]:
    """The fields that an INSERT names: all but the id and what the database computes."""
    fields = model._meta.local_concrete_fields
    return tuple(field.name for field in fields if not (field.primary_key or field.generated))


def _column(model: type[models.Model], name: str) -> str:
    return str(_field(model, name).column)


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _values(row: models.Model, names: tuple[str, ...] | None) -> dict[str, Any]:
    """What `_insert` or `_update` asks for."""
    values = {} if names is None else {"pk": row.pk}
    for name, attribute, prepared in _fields(type(row), names):
        values[name] = prepared(getattr(row, attribute), connection=connection)
    return values


@lru_cache(maxsize=128)
def _fields(
    model: type[models.Model], names: tuple[str, ...] | None
) -> tuple[tuple[str, str, Callable[..., Any]], ...]:
    """Of the named fields, or of all that are inserted: the name, the attribute, and how its value is made ready."""
    fields = [_field(model, name) for name in names or _inserted(model)]
    return tuple((field.name, field.attname, field.get_db_prep_save) for field in fields)


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
