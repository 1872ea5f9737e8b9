"""One answer of a market, checked: what it is taken to prove must stand in its bytes."""

import json
import re
from decimal import Decimal
from typing import Any

from liquidation.venues import VENUES
from liquidation.venues.http import Response
from liquidation.verdicts import Answer, Earlier, Refused, Traded, Unclear, Verdict, fill, verdict
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
#: Where each market says why it refuses.
_REASON: dict[Market, str] = {Market.MOS_ESPA: "reason", Market.BLACK_SPIRE_OUTPOST: "error"}
_SMALLEST = Decimal(10) ** -24
#: Columns that keep an answer for a person hold so much.
_LONGEST_TEXT = 1000
#: The sends before: none, and only refused ones; the third refusal is the first that proves anything.
_NONE, _ONE, _TWO = Earlier(), Earlier(sends=1, refused=1), Earlier(sends=2, refused=2)
_TWO_THAT_LEFT = Earlier(sends=5, refused=2, never_sent=3)
#: Some of them may have traded.
_IN_DOUBT = (Earlier(sends=1), Earlier(sends=3, refused=2), Earlier(sends=9, refused=7, never_sent=1))
_STATUSES_OF_A_REFUSAL = (200, 400, 403, 404, 422)
_DOUBTS = re.compile(
    r"unknown|exists|in progress|pending|timed? ?-?out|duplicate|already|internal error|executed|accepted|processing",
    re.IGNORECASE | re.ASCII,
)
_DUPLICATES = ("duplicate", "already executed")
#: The documented refusals that prove something once they come often enough.
_PLAIN_WORDS = ("no buyers", "closed")
#: Every way of saying nothing in a field.
_SILENCES = ("null", "false", '""', '"  "', "[]", "{}")
_FIELDS = ("error", "reason", "success", "requestId", "orderId", "quantity", "price", "id", "amount", "totalPrice")


class Unsound(AssertionError):
    """An answer was taken to prove more, or less, than it does."""


def check(market: Market, status: int, body: bytes) -> str:
    """Read an answer; returns what it was taken for. Raises Unsound, and whatever the service raises."""
    answer = _read(market, status, body)
    _demand(isinstance(answer, Traded | Refused | Unclear), f"{answer!r} is none of the three")
    for text in _texts(answer):
        _demand("\x00" not in text and len(text) <= _LONGEST_TEXT, f"a text that cannot be stored: {text[:50]!r}")
        text.encode("utf-8")
    proved = _proved(answer)
    for earlier in (_NONE, _ONE, *_IN_DOUBT):
        _demand(proved[earlier] is not Verdict.REFUSED, f"believed after {earlier}: {answer!r}")
    if isinstance(answer, Unclear):
        _demand(set(proved.values()) == {Verdict.UNKNOWN}, f"what is unclear proves {proved}")
        return "unclear"
    found = _object(body)
    _absent_and_empty_are_the_same(market, status, body, found, answer)
    _fields_that_nobody_knows(market, status, body, found, answer)
    if isinstance(answer, Refused):
        return _refused(market, status, found, answer, proved)
    _demand(200 <= status < 300, f"a trade with status {status}")
    traded = fill(answer, ordered=ORDERED)
    if traded is None:
        _demand(Verdict.FILLED not in proved.values(), "filled without a fill")
        _demand(not _fits(market, found), "a success whose figures fit was not taken for one")
        return _nothing(market, found, proved)
    _demand(set(proved.values()) == {Verdict.FILLED}, f"a fill proves {proved}")
    _demand(_fits(market, found), f"taken for a fill: {found}")
    order_id, units, proceeds, _kind = _KEYS[market]
    _demand(traded.venue_order_id == found[order_id], "another order id")
    _demand(0 <= Decimal(found[units]) - traded.units < _SMALLEST, "other units")
    _demand(0 <= Decimal(found[proceeds]) - traded.proceeds < _SMALLEST, "other proceeds")
    return "fill"


def _read(market: Market, status: int, body: bytes) -> Answer:
    return VENUES[market].read(Response(status, body), request_id=REQUEST_ID)


def _proved(answer: Answer) -> dict[Earlier, Verdict]:
    """What the answer proves after each of these sends."""
    return {
        earlier: verdict(answer, ordered=ORDERED, earlier=earlier, seen_before=False)
        for earlier in (_NONE, _ONE, _TWO, _TWO_THAT_LEFT, *_IN_DOUBT)
    }


def _nothing(market: Market, found: dict[str, Any], proved: dict[Earlier, Verdict]) -> str:
    """A success that is no fill: of nothing at all it is a refusal in other words, else it proves nothing."""
    _order_id, units, proceeds, kind = _KEYS[market]
    echoed = all(found.get(key) == value for key, value in (_SENT[market] | {"requestId": REQUEST_ID}).items())
    figures = [found.get(units), found.get(proceeds)]
    of_nothing = echoed and all(_is_zero(figure, kind) for figure in figures)
    if proved[_TWO] is Verdict.REFUSED:
        _demand(of_nothing, f"taken for a success of nothing: {found}")
        return "nothing traded"
    _demand(set(proved.values()) == {Verdict.UNKNOWN}, f"a success that does not fit proves {proved}")
    return "mismatch"


def _is_zero(figure: Any, kind: type) -> bool:
    """Whether a figure is 0, or so little that the books hold none of it."""
    if type(figure) is not kind or (kind is str and not _is_plain(str(figure))):
        return False
    return 0 <= Decimal(str(figure)) < _SMALLEST


def _refused(
    market: Market, status: int, found: dict[str, Any], answer: Refused, proved: dict[Earlier, Verdict]
) -> str:
    """Nothing is believed of a refusal that is not clean, and a clean one only where it came three times."""
    _demand(200 <= status < 300 or 400 <= status < 500, f"a refusal with status {status}")
    if market is Market.MOS_ESPA:
        _demand(found.get("success") is False, "a refusal that does not say so")
    reason = found.get(_REASON[market])
    _demand(isinstance(reason, str) and str(reason).strip() != "", "a refusal without a reason")
    if str(reason).isprintable() and "\\u0000" not in str(reason):
        _demand(answer.reason == str(reason)[:_LONGEST_TEXT], "another reason")
    _demand(_is_silent(found.get("requestId")) or found["requestId"] == REQUEST_ID, "another request's refusal")
    doubtful = _why_doubtful(market, status, found)
    if doubtful or not answer.is_clean:
        _demand(not doubtful or not answer.is_clean, f"clean, though {doubtful}: {found}")
        _demand(not {Verdict.REFUSED, Verdict.ASK_AGAIN} & set(proved.values()), f"a doubtful refusal proves {proved}")
        _demand(doubtful != "" or reason not in _PLAIN_WORDS, f"not clean, though nothing speaks against it: {found}")
        if any(words in str(reason)[:_LONGEST_TEXT] for words in _DUPLICATES):
            _demand(proved[_NONE] is Verdict.UNKNOWN, f"the first send is no duplicate: {proved}")
            _demand(proved[_ONE] is Verdict.UNRESOLVED, f"a duplicate calls a person: {proved}")
        return "doubtful refusal"
    _demand({proved[_NONE], proved[_ONE]} == {Verdict.ASK_AGAIN}, f"a clean refusal is asked for again: {proved}")
    _demand({proved[_TWO], proved[_TWO_THAT_LEFT]} == {Verdict.REFUSED}, f"the third clean refusal proves {proved}")
    _demand({proved[doubt] for doubt in _IN_DOUBT} == {Verdict.UNKNOWN}, f"after a doubt it proves {proved}")
    return "refused"


def _why_doubtful(market: Market, status: int, found: dict[str, Any]) -> str:
    """What speaks against a refusal: a second opinion, from the contract; empty if nothing does."""
    if status not in _STATUSES_OF_A_REFUSAL:
        return f"the status is {status}"
    reason = _REASON[market]
    sent = _SENT[market] | {"requestId": REQUEST_ID}
    for key, value in found.items():
        if key != reason and not _is_silent(value) and sent.get(key) != value:
            return f"it also says {key}"
    doubt = _DOUBTS.search(str(found[reason])[:_LONGEST_TEXT])
    return f"it admits: {doubt[0]}" if doubt else ""


def _is_silent(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {}) or (isinstance(value, str) and not value.strip())


def _absent_and_empty_are_the_same(
    market: Market, status: int, body: bytes, found: dict[str, Any], answer: Answer
) -> None:
    """A field that is absent says as much as one that is null, false, empty or blank: nothing."""
    silence = _SILENCES[len(body) % len(_SILENCES)]
    more = [key for key in (*_FIELDS, *_SENT[market], "zz") if key not in found]
    if market is Market.MOS_ESPA and silence == "false" and "success" in more:
        more.remove("success")  # there `false` has a meaning of its own
    same = _read(market, status, _with(body, found, dict.fromkeys(more, silence)))
    _demand(_meaning(same) == _meaning(answer), f"with {silence} for {more}: {same!r} instead of {answer!r}")


def _fields_that_nobody_knows(market: Market, status: int, body: bytes, found: dict[str, Any], answer: Answer) -> None:
    """They change nothing about a success, and make a refusal doubtful."""
    if "zz" in found:
        return
    said = _read(market, status, _with(body, found, {"zz": ("1", '"FILLED"', "[0]", "true")[len(body) % 4]}))
    if isinstance(answer, Refused):
        _demand(isinstance(said, Refused) and not said.is_clean, f"a refusal that says more is {said!r}")
    else:
        _demand(_meaning(said) == _meaning(answer), f"a success that says more is {said!r}")


def _with(body: bytes, found: dict[str, Any], more: dict[str, str]) -> bytes:
    """The object with more members, whose values are JSON; what it has stays byte for byte."""
    members = ", ".join(f"{json.dumps(key)}: {value}" for key, value in more.items())
    opened = body.rstrip().removesuffix(b"}")
    return opened + (b", " if found and members else b"") + members.encode() + b"}"


def _meaning(answer: Answer) -> object:
    """All that an answer is taken for."""
    traded = fill(answer, ordered=ORDERED)
    return type(answer), traded, list(_proved(answer).values()), isinstance(answer, Refused) and answer.is_clean


def _fits(market: Market, found: dict[str, Any]) -> bool:
    """Whether a success is about our order and within bounds: a second opinion, from the contract."""
    order_id, units, proceeds, kind = _KEYS[market]
    if any(found.get(key) != value for key, value in (_SENT[market] | {"requestId": REQUEST_ID}).items()):
        return False
    named = found.get(order_id)
    if (
        not isinstance(named, str)
        or not named.strip()
        or len(named) > 256
        or "\x00" in named
        or _has_half_a_pair(named)
    ):
        return False
    figures = [found.get(units), found.get(proceeds)]
    if not all(type(figure) is kind for figure in figures):
        return False
    if kind is str and not all(_is_plain(str(figure)) for figure in figures):
        return False
    sold, paid = (Decimal(str(figure)) for figure in figures)
    return _SMALLEST <= sold < ORDERED + _SMALLEST and _SMALLEST <= paid < Decimal(10) ** 20


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
