"""RFC 3339 instants of any year from 0000 to 9999, which Python's datetime cannot hold."""

import re
from decimal import Decimal

from coruscant import money
from pricing.feeds.event import Unreadable

_INSTANT = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt ]"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?P<fraction>\.[0-9]{1,40})?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<offset_hour>[0-9]{2}):(?P<offset_minute>[0-9]{2}))"
)
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY = 2
_MINUTES_A_DAY = 24 * 60
_LEAP_SECOND = 60
_UNIX_EPOCH_DAYS = 719_528  # days from 0000-01-01 to 1970-01-01


def seconds(text: str) -> Decimal:
    """Seconds from 1970-01-01T00:00:00Z, exact, negative before; proleptic Gregorian calendar.

    A leap second (23:59:60 UTC) counts as the second after it, as in UNIX time. Raises Unreadable.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise Unreadable("the timestamp is not an RFC 3339 instant with a time zone")
    year, month, day, hour, minute, second = (
        int(match[name]) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    offset_hour, offset_minute = int(match["offset_hour"] or 0), int(match["offset_minute"] or 0)
    if not 1 <= month <= len(_MONTH_DAYS) or not 1 <= day <= _days_in_month(year, month):
        raise Unreadable("the timestamp names a day that does not exist")
    if max(hour, offset_hour) > 23 or max(minute, offset_minute) > 59 or second > _LEAP_SECOND:  # noqa: PLR2004
        raise Unreadable("the timestamp names a time of day that does not exist")
    offset = (offset_hour * 60 + offset_minute) * (-1 if match["sign"] == "-" else 1)
    minutes = hour * 60 + minute - offset
    if second == _LEAP_SECOND and minutes % _MINUTES_A_DAY != _MINUTES_A_DAY - 1:
        raise Unreadable("the timestamp names a leap second in the middle of a day")
    days = _days_before(year, month) + day - 1 - _UNIX_EPOCH_DAYS
    with money.exact():
        return Decimal((days * _MINUTES_A_DAY + minutes) * 60 + second) + Decimal(f"0{match['fraction'] or ''}")


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_in_month(year: int, month: int) -> int:
    return _MONTH_DAYS[month - 1] + (month == _FEBRUARY and _is_leap(year))


def _days_before(year: int, month: int) -> int:
    """Days from 0000-01-01 to the first of the month."""
    leap_days = (year + 3) // 4 - (year + 99) // 100 + (year + 399) // 400
    return year * 365 + leap_days + sum(_days_in_month(year, earlier) for earlier in range(1, month))
