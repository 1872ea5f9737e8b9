"""Reading a market's answer without trusting it: strict JSON, exact numbers, never an exception."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from coruscant import money, strict_json
from coruscant.text import escaped, is_storable
from liquidation.venues.http import Response
from liquidation.verdicts import Refused, Traded, Unclear

_DECIMAL = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,60})?", re.ASCII)
_MAX_ORDER_ID = 256
#: What is kept of a market's text for a person to read.
_MAX_SHOWN = 1000
#: Statuses that a plain refusal comes with. Others are also those of a request that is still at work somewhere.
_REFUSAL_STATUSES = frozenset({200, 400, 403, 404, 422})


def json_object(response: Response) -> dict[str, Any] | Unclear:
    """The body as an object, numbers as Decimal; Unclear when it is anything else."""
    try:
        return strict_json.read_object(response.body)
    except strict_json.NotStrictJSON as error:
        return Unclear("unreadable", f"status {response.status}: {error}")


def says(value: object) -> bool:
    """Whether a field says anything: one that is absent, null, false, empty or blank does not. Zero does."""
    if isinstance(value, str):
        return bool(value.strip())
    return isinstance(value, Decimal) or bool(value)


def is_success(status: int) -> bool:
    """Whether an answer with this status may report a trade."""
    return 200 <= status < 300  # noqa: PLR2004


def traded(
    answer: dict[str, Any],
    sent: dict[str, str],
    *,
    order_id: str,
    units: str,
    proceeds: str,
    figure: Callable[[object], Decimal | None],
) -> Traded:
    """A success as the market reports it.

    `sent` holds the fields of the order that the answer must repeat. `order_id`, `units` and `proceeds` name the keys
    of the answer; `figure` reads the last two.
    """
    reported = {key: answer.get(key) for key in (*sent, order_id, units, proceeds)}
    return Traded(
        venue_order_id=_order_id(reported[order_id]),
        units=figure(reported[units]),
        proceeds=figure(reported[proceeds]),
        echo_fits=all(reported[key] == value for key, value in sent.items()),
        figures=_shown(json.dumps(reported, default=str)),
    )


def refusal(answer: dict[str, Any], sent: dict[str, str], *, reason: str, status: int) -> Refused | Unclear:
    """A refusal, which names its `reason` under this key, if it is ours.

    It is a plain one if it says nothing else but what was sent, under a status that fits; otherwise it says what raises
    doubt. An id that is not ours, or a status of 3xx or 5xx, makes the answer Unclear.
    """
    words = answer[reason]
    if not isinstance(words, str):
        return Unclear("unreadable", f"status {status}: a refusal without a reason")
    if not is_success(status) and not 400 <= status < 500:  # noqa: PLR2004
        return Unclear(f"status {status}", _shown(words))
    if says(answer.get("requestId")) and answer["requestId"] != sent["requestId"]:
        return Unclear("another request's answer", _shown(words))
    more = [key for key, value in answer.items() if key != reason and says(value) and sent.get(key) != value]
    doubts = [f"also says {', '.join(more)}"] if more else []
    if status not in _REFUSAL_STATUSES:
        doubts.append(f"status {status}")
    return Refused(_shown(words), _shown("; ".join(doubts)))


def decimal_from_string(value: object) -> Decimal | None:
    """A figure that a market prints as a string; None when it is not a plain decimal that can be stored."""
    if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
        return None
    return _in_bounds(Decimal(value))


def decimal_from_number(value: object) -> Decimal | None:
    """A figure that a market prints as a JSON number; None when it is anything else or cannot be stored."""
    return _in_bounds(value) if isinstance(value, Decimal) else None


def _in_bounds(value: Decimal) -> Decimal | None:
    """The figure with at most 24 decimals: a market that divides may print any number of them. None if too large."""
    if value < 0 or value.adjusted() >= money.MAX_INTEGER_DIGITS:
        return None
    return money.round_down(value, money.DECIMAL_PLACES)


def _order_id(value: object) -> str:
    """The market's id of the order; empty when it is not text that can be stored."""
    usable = isinstance(value, str) and says(value) and len(value) <= _MAX_ORDER_ID and is_storable(value)
    return str(value) if usable else ""


def _shown(message: str) -> str:
    """A market's text as it is kept for a person: shortened, in characters that can be stored."""
    return escaped(message)[:_MAX_SHOWN]
