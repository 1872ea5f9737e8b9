"""Reading and writing rows by statements of fixed text: for sales, where the ORM would take longer to build a statement
than PostgreSQL to run it (docs/decisions/0019). Everything else goes through the ORM.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models

Row = TypeVar("Row", bound=models.Model)
#: A row, and the fields to be updated; None inserts it.
Write = tuple[models.Model, tuple[str, ...] | None]


def write(*writes: Write) -> None:
    """Insert or update rows in one statement, each at most once. Inserted rows get their ids.

    The caller has locked the rows, and named the cause. Raises the model's DoesNotExist for a row that is not there.
    """
    text = _text(tuple((type(row), fields) for row, fields in writes))
    parameters = [value for row, fields in writes for value in _values(row, fields)]
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        keys = cursor.fetchone()
    for (row, _fields), key in zip(writes, keys, strict=True):
        if key is None:
            raise type(row).DoesNotExist(f"there is no {row!r} to be written")  # type: ignore[attr-defined]
        row.pk, row._state.adding = key, False


class Select(Generic[Row]):
    """A statement of fixed text that reads all columns of a model: `tail` is what follows them, `FROM …`."""

    def __init__(self, model: type[Row], tail: str) -> None:
        """The model's table goes by its own name in `tail`."""
        self._model = model
        self._names = tuple(field.attname for field in model._meta.concrete_fields)
        columns = ", ".join(f"{model._meta.db_table}.{field.column}" for field in model._meta.concrete_fields)
        self._text = f"SELECT {columns} {tail}"

    def all(self, *parameters: int) -> list[Row]:
        """Every row."""
        with connection.cursor() as cursor:
            cursor.execute(self._text, parameters)
            return [self._model.from_db(DEFAULT_DB_ALIAS, self._names, values) for values in cursor.fetchall()]


@lru_cache(maxsize=64)
def _text(shapes: tuple[tuple[type[models.Model], tuple[str, ...] | None], ...]) -> str:
    """The statement: one part a row, and the id of each as its answer."""
    parts = ", ".join(f"row_{number} AS ({_part(*shape)} RETURNING id)" for number, shape in enumerate(shapes))
    keys = ", ".join(f"(SELECT id FROM row_{number})" for number in range(len(shapes)))  # noqa: S608
    return f"WITH {parts} SELECT {keys}"


def _part(model: type[models.Model], fields: tuple[str, ...] | None) -> str:
    table, columns = model._meta.db_table, [column for column, _attribute, _prepare in _prepared(model, fields)]
    if fields is None:
        return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608
    return f"UPDATE {table} SET {', '.join(f'{column} = %s' for column in columns)} WHERE id = %s"  # noqa: S608


def _values(row: models.Model, fields: tuple[str, ...] | None) -> Sequence[Any]:
    found = [
        prepare(getattr(row, attribute), connection=connection)
        for _column, attribute, prepare in _prepared(type(row), fields)
    ]
    return found if fields is None else [*found, row.pk]


@lru_cache(maxsize=64)
def _prepared(
    model: type[models.Model], fields: tuple[str, ...] | None
) -> tuple[tuple[str, str, Callable[..., Any]], ...]:
    """Of the fields, or of all that are inserted: column, attribute, and how a value is made ready."""
    found = [
        field
        for field in model._meta.local_concrete_fields
        if (field.name in fields if fields is not None else not (field.primary_key or field.generated))
    ]
    return tuple((str(field.column), str(field.attname), field.get_db_prep_save) for field in found)
