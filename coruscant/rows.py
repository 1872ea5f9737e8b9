"""Rows read by statements written by hand, as models: where a statement runs so often that building it would show.

The ORM compiles a query anew each time, which costs as much as the query itself. What is read so is an ordinary
instance; columns left out are deferred, and read when somebody asks for them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models

Row = TypeVar("Row", bound=models.Model)


def names(model: type[models.Model], *, without: Iterable[str] = ()) -> tuple[str, ...]:
    """The attributes of a model's columns, but for some. JSON columns must be among these: they are not decoded."""
    left_out = set(without)
    return tuple(field.attname for field in model._meta.concrete_fields if field.name not in left_out)


def columns(model: type[models.Model], attributes: Iterable[str], table: str, prefix: str = "") -> str:
    """These attributes' columns as a list for SELECT, of a table of that name; each is called what the prefix adds."""
    by_attribute = {field.attname: field.column for field in model._meta.concrete_fields}
    found = [by_attribute[attribute] for attribute in attributes]
    return ", ".join(f'{table}."{column}" AS "{prefix}{column}"' for column in found)


def row(model: type[Row], attributes: Sequence[str], values: Sequence[Any]) -> Row:
    """An instance of what was read of these attributes."""
    return model.from_db(DEFAULT_DB_ALIAS, attributes, values)


def parts(values: Sequence[Any], *lists: Sequence[str]) -> Iterator[Sequence[Any]]:
    """The values of one row, cut where each of these lists of its columns ends."""
    start = 0
    for columns_of_part in lists:
        yield values[start : start + len(columns_of_part)]
        start += len(columns_of_part)


class Select(Generic[Row]):
    """A statement of fixed text that reads rows of one model: `tail` is what follows the columns, `FROM …`."""

    def __init__(self, model: type[Row], tail: str) -> None:
        """The model's table goes by its own name in `tail`."""
        self._model = model
        self._names = names(model)
        self._text = f"SELECT {columns(model, self._names, model._meta.db_table)} {tail}"

    def all(self, *parameters: str | int) -> list[Row]:
        """Every row."""
        with connection.cursor() as cursor:
            cursor.execute(self._text, parameters)
            return [row(self._model, self._names, values) for values in cursor.fetchall()]

    def first(self, *parameters: str | int) -> Row | None:
        """The first row, or None."""
        return next(iter(self.all(*parameters)), None)
