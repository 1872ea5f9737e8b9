"""Reading a market's statement: CSV with the header `requestId,units,proceeds,time`, or JSON lines. Pure and strict.

A file that is not understood to the last character is refused as a whole: a trade overlooked would be sold again.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from coruscant.errors import DomainError
from coruscant.money import NotAnAmount, parse_amount
from coruscant.strict_json import NotStrictJSON, read_object
from coruscant.text import is_storable

FIELDS: Final = ("requestId", "units", "proceeds", "time")
_LONGEST_LINE = 2000
_LONGEST_REQUEST_ID = 128


class StatementUnreadable(DomainError):
    """A statement that cannot be read to the last line."""

    code = "statement-unreadable"
    title = "The statement cannot be read"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class StatedTrade:
    """A line: `units` traded for `proceeds` GC in total, at an instant of the market's clock."""

    request_id: str
    units: Decimal
    proceeds: Decimal
    traded_at: datetime


def read(content: bytes) -> list[StatedTrade]:
    """Every trade, in the order of the file. Raises StatementUnreadable.

    Several lines of one requestId are parts of one trade, or trades too many; two equal lines are refused. A statement
    without trades is a header alone.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StatementUnreadable("The file is not UTF-8.") from None
    if not text.strip():
        raise StatementUnreadable("The file is empty: a statement without trades has at least a header.")
    if not text.endswith("\n"):
        raise StatementUnreadable("The last line does not end: the file may be cut off.")
    found: dict[StatedTrade, int] = {}
    for number, fields in _json_lines(text) if text.lstrip().startswith("{") else _csv_lines(text):
        trade = _trade(number, fields)
        if first := found.get(trade):
            raise StatementUnreadable(f"Line {number} is the same as line {first}.")
        found[trade] = number
    return list(found)


def _csv_lines(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows)
        if sorted(header) != sorted(FIELDS):
            raise StatementUnreadable(f"The first line must be {','.join(FIELDS)}.")
        for row in rows:
            if len(row) != len(header):
                raise StatementUnreadable(f"Line {rows.line_num} has {len(row)} fields in place of {len(header)}.")
            yield rows.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise StatementUnreadable(f"Line {rows.line_num} is not CSV: {error}.") from None


def _json_lines(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            fields = read_object(line, at_most=_LONGEST_LINE)
        except NotStrictJSON as error:
            raise StatementUnreadable(f"Line {number}: {error}") from None
        if sorted(fields) != sorted(FIELDS):
            raise StatementUnreadable(f"Line {number} must have the fields {', '.join(FIELDS)}, and no others.")
        yield number, fields


def _trade(number: int, fields: dict[str, Any]) -> StatedTrade:
    request_id = fields["requestId"]
    if not isinstance(request_id, str) or not 0 < len(request_id) <= _LONGEST_REQUEST_ID or not is_storable(request_id):
        raise StatementUnreadable(f"Line {number}: requestId must be a text of 1 to {_LONGEST_REQUEST_ID} characters.")
    units, proceeds = (_amount(number, name, fields[name]) for name in ("units", "proceeds"))
    return StatedTrade(request_id, units, proceeds, _instant(number, fields["time"]))


def _amount(number: int, name: str, value: object) -> Decimal:
    try:
        return parse_amount(str(value) if isinstance(value, Decimal) else value)  # JSON has numbers, or texts
    except NotAnAmount as error:
        raise StatementUnreadable(f"Line {number}: {name} {error}.") from None


def _instant(number: int, value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise StatementUnreadable(f"Line {number}: time must be an instant of RFC 3339 with its offset, such as Z.")
    return found
