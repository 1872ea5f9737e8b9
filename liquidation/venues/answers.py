"""Reading a market's answer without trusting it: strict JSON, exact numbers, never an exception."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from coruscant import money
from liquidation.venues.http import Response
from liquidation.verdicts import Refused, Traded, Unclear

_DECIMAL = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,60})?", re.ASCII)
_NUMBER_LENGTH = 120


def _number(text: str) -> Decimal:
    if len(text) > _NUMBER_LENGTH:
        raise ValueError("a number is too long")
    value = Decimal(text)
    if value and not -200 < value.adjusted() < 200:  # noqa: PLR2004  (beyond this it would only fill memory)
        raise ValueError("a number is out of bounds")
    return value


def _constant(text: str) -> Decimal:
    raise ValueError(f"{text} is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def json_object(response: Response) -> dict[str, Any] | Unclear:
    """The body as an object, numbers as Decimal; Unclear when it is anything else."""
    try:
        found = json.loads(
            response.body.decode("utf-8"),
            parse_float=_number,
            parse_int=_number,
            parse_constant=_constant,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError, ArithmeticError) as error:
        return Unclear("unreadable", f"status {response.status}: {error}"[:500])
    if not isinstance(found, dict):
        return Unclear("unreadable", f"status {response.status}: not an object")
    return found


def is_success(status: int) -> bool:
    """Whether a status may carry a trade."""
    return 200 <= status < 300  # noqa: PLR2004


def may_refuse(status: int) -> bool:
    """Whether a status may carry an explicit refusal that counts."""
    return is_success(status) or 400 <= status < 500  # noqa: PLR2004


def text(value: object) -> str | None:
    """A non-empty string that the database can store, or None."""
    if not isinstance(value, str) or not value or len(value) > 256 or "\x00" in value:  # noqa: PLR2004
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def traded(
    found: dict[str, Any],
    sent: dict[str, str],
    *,
    order_id: str,
    units: str,
    proceeds: str,
    figure: Callable[[object], Decimal | None],
) -> Traded:
    """A success as the market told it, beside what was sent; `order_id`, `units` and `proceeds` name its keys."""
    told = {key: found.get(key) for key in (*sent, order_id, units, proceeds)}
    return Traded(
        venue_order_id=text(told[order_id]) or "",
        units=figure(told[units]),
        proceeds=figure(told[proceeds]),
        echo_fits=all(told[key] == value for key, value in sent.items()),
        figures=shown(json.dumps(told, default=str)),
    )


def shown(message: str) -> str:
    """A market's text, shortened and freed of what the database cannot store."""
    return message.replace("\x00", "").replace("\\u0000", "").encode("utf-8", "replace").decode()[:1000]


def decimal_from_string(value: object) -> Decimal | None:
    """A figure a market prints as a string, or None when it is not a plain decimal that can be stored."""
    if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
        return None
    return _storable(Decimal(value))


def decimal_from_number(value: object) -> Decimal | None:
    """A figure a market prints as a JSON number, or None when it is something else or cannot be stored."""
    return _storable(value) if isinstance(value, Decimal) else None


def refusal(reason: object, echoed_id: object, *, request_id: str, status: int) -> Refused | Unclear:
    """An explicit refusal, if it is ours and its status lets it count.

    The request id is echoed only if the market could read it; an id that is not ours makes the answer unclear.
    """
    if not isinstance(reason, str):
        return Unclear("unreadable", f"status {status}: a refusal without a reason")
    if not may_refuse(status):
        return Unclear(f"status {status}", shown(reason))
    if echoed_id is not None and echoed_id != request_id:
        return Unclear("another request's answer", shown(reason))
    return Refused(shown(reason))


def _storable(value: Decimal) -> Decimal | None:
    """Decimals beyond what is stored are cut off: a market that divides may print any number of them."""
    if value < 0 or value.adjusted() >= money.MAX_INTEGER_DIGITS:
        return None
    return money.round_down(value, money.DECIMAL_PLACES)
