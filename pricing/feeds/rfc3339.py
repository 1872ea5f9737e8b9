"""RFC 3339 instants of any year from 0000 to 9999, which Python's datetime cannot hold."""

import re
from datetime import date
from decimal import Decimal

from coruscant import money
from pricing.feeds.event import Unreadable

_INSTANT = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt ]"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?P<fraction>\.[0-9]{1,40})?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<offset_hour>[0-9]{2}):(?P<offset_minute>[0-9]{2}))"
)
_MINUTES_A_DAY = 24 * 60
_LEAP_SECOND = 60
_DAYS_IN_400_YEARS = 146_097  # after which the calendar repeats itself
_UNIX_EPOCH = date(1970, 1, 1).toordinal()


def seconds(text: str) -> Decimal:
    """Seconds from 1970-01-01T00:00:00Z, exact, negative before; proleptic Gregorian calendar.

    A leap second (23:59:60 UTC) counts as the second after it, as in UNIX time. Raises Unreadable.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise Unreadable("the timestamp is not an RFC 3339 instant with a time zone")
    names = ("year", "month", "day", "hour", "minute", "second", "offset_hour", "offset_minute")
    year, month, day, hour, minute, second, offset_hour, offset_minute = (int(match[name] or 0) for name in names)
    try:
        days = date(400 + year % 400, month, day).toordinal() - _UNIX_EPOCH + (year // 400 - 1) * _DAYS_IN_400_YEARS
    except ValueError:
        raise Unreadable("the timestamp names a day that does not exist") from None
    if max(hour, offset_hour) > 23 or max(minute, offset_minute) > 59 or second > _LEAP_SECOND:  # noqa: PLR2004
        raise Unreadable("the timestamp names a time of day that does not exist")
    offset = (offset_hour * 60 + offset_minute) * (-1 if match["sign"] == "-" else 1)
    minutes = hour * 60 + minute - offset
    if second == _LEAP_SECOND and minutes % _MINUTES_A_DAY != _MINUTES_A_DAY - 1:
        raise Unreadable("the timestamp names a leap second in the middle of a day")
    with money.exact():
        return Decimal((days * _MINUTES_A_DAY + minutes) * 60 + second) + Decimal(f"0{match['fraction'] or ''}")
