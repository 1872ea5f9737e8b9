"""Receipts whose figures do not fit the order. Pure."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from local.simulators.exact import plain
from local.simulators.market.faults import Absurd, Mismatch, WrongTotal
from local.simulators.market.order_book import PROCEEDS_STEP
from local.simulators.market.wire import Trade, WireFormat

#: What is less wrong than this could be true: prices move between the order and the trade.
_CLEARLY = Decimal(10)
_ABSURD = {Absurd.TINY: Decimal("0.00000001"), Absurd.HUGE: Decimal(10) ** 15}


def mismatched_receipt(wire: WireFormat, trade: Trade, mismatch: Mismatch) -> dict[str, Any]:
    """Return a receipt with one wrong field; what was traded does not change."""
    receipt = wire.receipt(trade)
    units, proceeds = wire.units_field, wire.proceeds_field
    figures_are_text = isinstance(receipt[units], str)

    def figure(value: Decimal) -> str | Decimal:
        return plain(value) if figures_are_text else value

    match mismatch:
        case Mismatch.MORE_THAN_ORDERED:
            receipt[units] = figure(trade.ordered * 2)
        case Mismatch.NOTHING_TRADED:
            receipt[units] = figure(Decimal(0))
        case Mismatch.NEGATIVE_PROCEEDS:
            receipt[proceeds] = figure(-trade.proceeds)
        case Mismatch.NO_PROCEEDS:
            del receipt[proceeds]
        case Mismatch.NOT_A_NUMBER:
            receipt[proceeds] = "NaN"
        case Mismatch.WRONG_TYPE:
            receipt[units] = trade.units if figures_are_text else plain(trade.units)
        case Mismatch.OTHER_REQUEST:
            receipt["requestId"] = f"not-{trade.request_id}"
        case Mismatch.OTHER_SIDE:
            receipt["side"] = "BUY" if receipt["side"].isupper() else "buy"
    return receipt


def receipt_of_wrong_total(wire: WireFormat, trade: Trade, variant: WrongTotal | Absurd) -> dict[str, Any]:
    """Return a receipt whose total is clearly wrong, or the right one of an order for which it would not be."""
    if trade.proceeds < _CLEARLY:
        return wire.receipt(trade)
    match variant:
        case WrongTotal():
            if 1 / _CLEARLY < trade.units < _CLEARLY:
                return wire.receipt(trade)
            by_unit = variant is WrongTotal.UNIT_PRICE
            total = trade.proceeds / trade.units if by_unit else trade.proceeds * trade.units
        case Absurd():
            total = _ABSURD[variant]
    return wire.receipt(replace(trade, proceeds=total.quantize(PROCEEDS_STEP)))
