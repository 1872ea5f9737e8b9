"""Receipts whose figures do not fit the order. Pure."""

from decimal import Decimal
from typing import Any

from local.simulators.exact import plain
from local.simulators.market.faults import Mismatch
from local.simulators.market.wire import Trade, WireFormat


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
