"""Answers that mislead, and correct ones that say more than the contract has. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from local.simulators.exact import plain
from local.simulators.market.faults import Absurd, EmptyError, Fault, Figures, Kind, Mismatch, WrongTotal
from local.simulators.market.mismatches import mismatched_receipt, receipt_of_wrong_total
from local.simulators.market.order_book import ZERO
from local.simulators.market.wire import Order, Trade, WireFormat
from local.simulators.market.wordings import PLAIN

_REDIRECTS = (301, 302, 303, 307, 308)
_TOO_MANY = 429
_COOKIES = 10
_COOKIE_LENGTH = 5200
_NO_RECEIPT_SAYS = datetime.min.replace(tzinfo=UTC)
_EMPTY: dict[EmptyError, dict[str, Any]] = {
    EmptyError.EMPTY_ERROR: {"error": ""},
    EmptyError.NULL_ERROR: {"error": None},
    EmptyError.FALSE_ERROR: {"error": False},
    EmptyError.EMPTY_REASON: {"reason": ""},
    EmptyError.NULL_REASON: {"reason": None},
    EmptyError.FALSE_REASON: {"reason": False},
}
_UNKNOWN: dict[str, Any] = {
    "status": "FILLED",
    "message": "may the credits be with you",
    "fees": [{"kind": "docking", "amount": Decimal("0.10")}],
    "venue": {"planet": "Tatooine", "open": True},
    "sequence": Decimal("123456789012345678901234567890"),
    "warnings": None,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: the JSON of its body, its status, and headers beyond the usual."""

    body: dict[str, Any]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def answer_untraded(wire: WireFormat, order: Order, fault: Fault) -> Answer:
    """Return the answer to an order that was not traded."""
    if fault.kind is Kind.TRADED_NOTHING:
        nothing = Trade(f"nothing-{order.request_id}", order.request_id, order.units, ZERO, ZERO, _NO_RECEIPT_SAYS)
        return Answer(wire.receipt(nothing))
    return Answer(wire.refusal(fault.variant or PLAIN[0], order.request_id))


def answer_traded(wire: WireFormat, trade: Trade, fault: Fault) -> Answer:
    """Return the answer to an order that was traded; what was traded does not change."""
    if fault.kind is Kind.REFUSAL_ODD_STATUS:
        status = int(fault.variant or 0)
        return Answer(wire.refusal(PLAIN[0], trade.request_id), status, _headers(status, wire.order_path))
    headers = _cookies() if fault.kind is Kind.COOKIES else ()
    return Answer(_body(wire, trade, fault.kind, fault.variant or ""), headers=headers)


def _body(wire: WireFormat, trade: Trade, kind: Kind, variant: str) -> dict[str, Any]:
    body = wire.receipt(trade)
    match kind:
        case Kind.REFUSAL_DOUBTFUL_AFTER_TRADING | Kind.REFUSAL_AFTER_TRADING:
            body = wire.refusal(variant, trade.request_id)
        case Kind.REFUSAL_WITH_FIGURES:
            refusal = wire.refusal(PLAIN[0], trade.request_id)
            body = refusal | _figures(wire, body, refusal, Figures(variant))
        case Kind.SUCCESS_WITH_EMPTY_ERROR:
            body |= _EMPTY[EmptyError(variant)]
        case Kind.SUCCESS_WITH_UNKNOWN_FIELDS:
            body |= _UNKNOWN
        case Kind.PRICE_FOR_TOTAL:
            body = receipt_of_wrong_total(wire, trade, WrongTotal(variant))
        case Kind.ABSURD_PROCEEDS:
            body = receipt_of_wrong_total(wire, trade, Absurd(variant))
        case Kind.MISMATCH:
            body = mismatched_receipt(wire, trade, Mismatch(variant))
    return body


def _figures(wire: WireFormat, receipt: dict[str, Any], refusal: dict[str, Any], figures: Figures) -> dict[str, Any]:
    field = {
        Figures.ORDER_ID: wire.order_id_field,
        Figures.UNITS: wire.units_field,
        Figures.PROCEEDS: wire.proceeds_field,
    }.get(figures)
    if field is not None:
        return {field: receipt[field]}
    if figures is Figures.WHOLE_RECEIPT:
        return receipt | refusal
    units, proceeds = (Decimal(receipt[name]) for name in (wire.units_field, wire.proceeds_field))
    return {"executions": [{"units": plain(units), "total": plain(proceeds)}]}


def _headers(status: int, order_path: str) -> tuple[tuple[str, str], ...]:
    if status in _REDIRECTS:
        return (("Location", order_path),)
    return (("Retry-After", "1"),) if status == _TOO_MANY else ()


def _cookies() -> tuple[tuple[str, str], ...]:
    return tuple(("Set-Cookie", f"bazaar-{number}={'x' * _COOKIE_LENGTH}; Path=/") for number in range(_COOKIES))
