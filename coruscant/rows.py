"""Rows read by statements written by hand, as models: where a statement runs so often that building it would show.

The ORM compiles a query anew each time, which costs as much as the query itself. What is read so is an ordinary
instance; columns left out are deferred, and read when somebody asks for them.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, models

Row = TypeVar("Row", bound=models.Model)


def names(model: type[models.Model], *, without: Iterable[str] = ()) -> tuple[str, ...]:
    """The attributes of a model's columns, but for some. JSON columns must be among these: they are not decoded."""
    left_out = set(without)
    return tuple(field.attname for field in model._meta.concrete_fields if field.name not in left_out)


def columns(model: type[models.Model], attributes: Iterable[str], table: str) -> str:
    """These attributes' columns as a list for SELECT, of a table of that name."""
    by_attribute = {field.attname: field.column for field in model._meta.concrete_fields}
    return ", ".join(f'{table}."{by_attribute[attribute]}"' for attribute in attributes)


def row(model: type[Row], attributes: Sequence[str], values: Sequence[Any]) -> Row:
    """An instance of what was read of these attributes."""
    return model.from_db(DEFAULT_DB_ALIAS, attributes, values)
