"""A list as a CSV file, streamed: all rows of the filtered list, in its order, however many there are.

Figures are exact, instants are in ISO 8601 and UTC, and nothing that a client wrote is run as a formula.
"""

import csv
import html
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import structlog
from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.http import HttpRequest, HttpResponseNotAllowed, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.html import strip_tags
from django.utils.text import capfirst

from coruscant import clock, money
from coruscant.admin.columns import Export
from coruscant.admin.figures import NOTHING

log = structlog.get_logger(__name__)

#: Rows taken from the database at a time, and written at a time.
_ROWS = 1000
#: A spreadsheet takes a cell that begins so for a formula. Where the comma is the decimal point, a semicolon begins a
#: cell, wherever it stands: quotation marks keep a text together only if they are the first of a cell.
_BEGINS_A_FORMULA = re.compile(r"""\A(?=[ "]*[=+\-@\t\r\n＝＋－＠])|(?<=[;\r\n])(?=[ "]*[=+\-@＝＋－＠])""")
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?", re.ASCII)


def cell(value: object) -> str:
    """A value as the text of a cell, with an apostrophe before whatever of it a spreadsheet would run."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return money.decimal_string(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    text = str(value)
    return text if _NUMBER.fullmatch(text) else _BEGINS_A_FORMULA.sub("'", text)


def write(columns: Iterable[Export], rows: Iterable[Any]) -> Iterator[str]:
    """The lines of the file, some at a time; never more rows in memory than that."""
    columns, writer, rows = list(columns), csv.writer(_AsItIs()), iter(rows)
    yield writer.writerow([cell(one.label) for one in columns])
    while some := list(islice(rows, _ROWS)):
        yield "".join(writer.writerow([cell(one.value(row)) for one in columns]) for row in some)


class _AsItIs:
    """Gives `writerow` its line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def export(request: HttpRequest, listed: ChangeList) -> HttpResponseBase:
    """The file of a list; only read, so nothing but GET is answered."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    name = str(listed.opts.verbose_name_plural).replace(" ", "-")
    told(request, listed.opts.label_lower)
    # The database keeps the result and hands it over in pieces (a cursor of the server).
    lines = write(_columns(listed), listed.queryset.iterator(chunk_size=_ROWS))
    file = f"{name}-{clock.now().astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}.csv"
    disposition = {"Content-Disposition": f'attachment; filename="{file}"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=disposition)


def told(request: HttpRequest, what: str) -> None:
    """Log that somebody took a file of something."""
    log.info("list_exported", list=what, user=request.user.get_username())


def _columns(listed: ChangeList) -> list[Export]:
    names = [name for name in listed.list_display if name != "action_checkbox"]
    return [_column(listed, str(name)) for name in names]


def _column(listed: ChangeList, name: str) -> Export:
    admin = listed.model_admin
    given: Export | None = getattr(getattr(admin, name, None), "export", None)
    if given is not None:
        return given
    label = str(label_for_field(name, listed.model, model_admin=admin))
    stored = _stored(listed.model, name)
    return Export(capfirst(label), stored or (lambda row: _text(lookup_field(name, row, admin)[2])))


def _stored(model: type[Model], name: str) -> Callable[[Any], Any] | None:
    """How a field's own value is read; None if that is no field."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return lambda row: getattr(row, field.name)


def _text(shown: object) -> object:
    """What a page shows, without its markup."""
    if not isinstance(shown, str):
        return shown
    text = " ".join(html.unescape(strip_tags(shown)).split())
    return "" if text == NOTHING else text
