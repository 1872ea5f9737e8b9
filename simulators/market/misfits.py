"""Receipts whose figures do not fit the order. Pure."""

from decimal import Decimal
from typing import Any

from simulators.exact import plain
from simulators.market.faults import Misfit
from simulators.market.wire import Trade, WireFormat


def misfit_receipt(wire: WireFormat, trade: Trade, misfit: Misfit) -> dict[str, Any]:
    """Report a trade wrongly, in one respect; what was traded is not changed by it."""
    receipt = wire.receipt(trade)
    units, proceeds = wire.units_field, wire.proceeds_field
    figures_are_text = isinstance(receipt[units], str)

    def figure(value: Decimal) -> str | Decimal:
        return plain(value) if figures_are_text else value

    match misfit:
        case Misfit.MORE_THAN_ORDERED:
            receipt[units] = figure(trade.ordered * 2)
        case Misfit.NOTHING_TRADED:
            receipt[units] = figure(Decimal(0))
        case Misfit.NEGATIVE_PROCEEDS:
            receipt[proceeds] = figure(-trade.proceeds)
        case Misfit.NO_PROCEEDS:
            del receipt[proceeds]
        case Misfit.NOT_A_NUMBER:
            receipt[proceeds] = "NaN"
        case Misfit.WRONG_TYPE:
            receipt[units] = trade.units if figures_are_text else plain(trade.units)
        case Misfit.OTHER_REQUEST:
            receipt["requestId"] = f"not-{trade.request_id}"
        case Misfit.OTHER_SIDE:
            receipt["side"] = "BUY" if receipt["side"].isupper() else "buy"
    return receipt
