"""One answer of a market, checked: what it is taken to prove must stand in its bytes."""

import json
from decimal import Decimal
from typing import Any

from liquidation.venues import VENUES
from liquidation.venues.http import Response
from liquidation.verdicts import Answer, Refused, Traded, Unclear, Verdict, fill, verdict
from pricing.markets import Market

REQUEST_ID = "0b0c0f6e-0000-4000-8000-000000000001"
ORDERED = Decimal("12.5")
_SENT: dict[Market, dict[str, str]] = {
    Market.MOS_ESPA: {"type": "market", "side": "sell", "asset": "BESKAR", "currency": "GC"},
    Market.BLACK_SPIRE_OUTPOST: {"side": "SELL", "item": "STEEL:MANDALORIAN"},
}
#: Where each market writes its order id, the units and the total, and of what type the figures are.
_KEYS: dict[Market, tuple[str, str, str, type]] = {
    Market.MOS_ESPA: ("orderId", "quantity", "price", str),
    Market.BLACK_SPIRE_OUTPOST: ("id", "amount", "totalPrice", Decimal),
}
_SMALLEST = Decimal(10) ** -24
#: Columns that keep an answer for a person hold so much.
_LONGEST_TEXT = 1000


class Unsound(AssertionError):
    """An answer was taken to prove more, or less, than it does."""


def check(market: Market, status: int, body: bytes) -> str:
    """Read an answer; returns what it was taken for. Raises Unsound, and whatever the service raises."""
    answer = VENUES[market].read(Response(status, body), request_id=REQUEST_ID)
    _demand(isinstance(answer, Traded | Refused | Unclear), f"{answer!r} is none of the three")
    for text in _texts(answer):
        _demand("\x00" not in text and len(text) <= _LONGEST_TEXT, f"a text that cannot be stored: {text[:50]!r}")
        text.encode("utf-8")
    verdicts = {
        first: verdict(answer, ordered=ORDERED, first_send=first, known_mismatch="another") for first in (True, False)
    }
    if isinstance(answer, Unclear):
        _demand(set(verdicts.values()) == {Verdict.UNKNOWN}, f"what is unclear proves {verdicts}")
        return "unclear"
    found = _object(body)
    if isinstance(answer, Refused):
        _refused(market, status, found, answer)
        _demand(verdicts[False] is not Verdict.REFUSED, "the refusal of a resend proves nothing")
        return "refused"
    _demand(200 <= status < 300, f"a trade with status {status}")
    _demand(Verdict.REFUSED not in verdicts.values(), "a success proves no refusal")
    traded = fill(answer, ordered=ORDERED)
    if traded is None:
        _demand(Verdict.FILLED not in verdicts.values(), "filled without a fill")
        _demand(not _fits(market, found), "a success whose figures fit was not taken for one")
        return "mismatch"
    _demand(set(verdicts.values()) == {Verdict.FILLED}, f"a fill proves {verdicts}")
    _demand(_fits(market, found), f"taken for a fill: {found}")
    order_id, units, proceeds, _kind = _KEYS[market]
    _demand(traded.venue_order_id == found[order_id], "another order id")
    _demand(0 <= Decimal(found[units]) - traded.units < _SMALLEST, "other units")
    _demand(0 <= Decimal(found[proceeds]) - traded.proceeds < _SMALLEST, "other proceeds")
    return "fill"


def _fits(market: Market, found: dict[str, Any]) -> bool:
    """Whether a success is about our order and within bounds: a second opinion, from the contract."""
    order_id, units, proceeds, kind = _KEYS[market]
    if any(found.get(key) != value for key, value in (_SENT[market] | {"requestId": REQUEST_ID}).items()):
        return False
    named = found.get(order_id)
    if not isinstance(named, str) or not 0 < len(named) <= 256 or "\x00" in named or _has_half_a_pair(named):
        return False
    figures = [found.get(units), found.get(proceeds)]
    if not all(type(figure) is kind for figure in figures):
        return False
    if kind is str and not all(_is_plain(str(figure)) for figure in figures):
        return False
    sold, paid = (Decimal(str(figure)) for figure in figures)
    return _SMALLEST <= sold < ORDERED + _SMALLEST and _SMALLEST <= paid < Decimal(10) ** 20


def _refused(market: Market, status: int, found: dict[str, Any], answer: Refused) -> None:
    _demand(200 <= status < 300 or 400 <= status < 500, f"a refusal with status {status}")
    if market is Market.MOS_ESPA:
        _demand(found.get("success") is False, "a refusal that does not say so")
        reason = found.get("reason")
    else:
        _demand("totalPrice" not in found, "a refusal with a price")
        reason = found.get("error")
    _demand(isinstance(reason, str), "a refusal without a reason")
    if str(reason).isprintable() and "\\u0000" not in str(reason):
        _demand(answer.reason == str(reason)[:_LONGEST_TEXT], "another reason")
    _demand(found.get("requestId") in (None, REQUEST_ID), "another request's refusal")


def _object(body: bytes) -> dict[str, Any]:
    found = json.loads(body.decode("utf-8"), parse_float=Decimal, parse_int=Decimal)
    _demand(isinstance(found, dict), "not an object")
    return dict(found)


def _is_plain(text: str) -> bool:
    """A decimal of ASCII digits with at most one point in the middle, of a length that anybody would print."""
    whole, point, rest = text.partition(".")
    parts = [whole, rest] if point else [whole]
    return len(whole) <= 40 and len(rest) <= 60 and all(part.isascii() and part.isdigit() for part in parts)


def _has_half_a_pair(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _texts(answer: Answer) -> list[str]:
    match answer:
        case Traded():
            return [answer.venue_order_id, answer.figures]
        case Refused():
            return [answer.reason]
        case Unclear():
            return [answer.kind, answer.detail]
        case _:
            raise Unsound(f"{answer!r} is no answer of a market")


def _demand(true: bool, what: str) -> None:
    if not true:
        raise Unsound(what)
