"""The next order of a liquidation: sized on the venues' last curves, written before it is sent."""

import uuid
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from coruscant.money import DECIMAL_PLACES, round_down
from liquidation import breaker
from liquidation.models import Liquidation, OrderStatus, TradeOrder
from liquidation.sizing import Bounds, Choice, VenueCurve, choose
from liquidation.venues import VENUES
from liquidation.verdicts import Answer, NeverSent, Refused, Traded
from loans.models import Loan
from pricing import board
from pricing.markets import Market

log = structlog.get_logger(__name__)

#: How long a sale waits when no venue has a curve or takes orders.
NO_VENUE_DELAY = timedelta(seconds=2)


def bounds() -> Bounds:
    """The grid and the ceiling of an order, from the settings."""
    return Bounds(step=settings.ORDER_QUANTITY_STEP, max_quantity=settings.MAX_ORDER_QUANTITY)


def place(loan: Loan, liquidation: Liquidation, now: datetime) -> TradeOrder | datetime:
    """Write the next order of a liquidation whose rows the caller has locked; or say when to try again.

    The venue with the better price for the quantity wins; after REFUSALS_BEFORE_SWITCH refusals in a row it is the
    other one's turn. A paused venue takes part only as a probe, and only one sale gets that.
    """
    states = breaker.states(now)
    curves = [
        VenueCurve(curve.market, curve.levels, curve.fresh)
        for curve in board.curves().values()
        if curve.market in states.open | states.probeable
    ]
    avoid = _venue_to_avoid(liquidation)
    while curves:
        choice = choose(curves, owed=loan.outstanding_balance, available=loan.collateral, bounds=bounds(), avoid=avoid)
        if choice is None:
            break
        if choice.market in states.open or breaker.take_probe(choice.market, now):
            return _write(liquidation, choice, now)
        curves = [curve for curve in curves if curve.market != choice.market]
    log.warning("no_venue_takes_orders", liquidation_id=liquidation.pk)
    return max(now, min(now + NO_VENUE_DELAY, states.next_probe_at or now + NO_VENUE_DELAY))


def remember(order: TradeOrder, answer: Answer) -> None:
    """Note on the order, for a person, what came back last; the caller saves."""
    match answer:
        case Traded():
            order.last_outcome, order.last_answer = "success", answer.figures
        case Refused():
            order.last_outcome, order.last_answer = "refusal", answer.reason
        case NeverSent():
            order.last_outcome, order.last_answer = "never sent", answer.detail
        case _:
            order.last_outcome, order.last_answer = answer.kind[:32], answer.detail


def refusals_in_row(liquidation: Liquidation) -> int:
    """How many of the latest orders were refused, one after the other."""
    count = 0
    for status in liquidation.orders.order_by("-sequence").values_list("status", flat=True)[:1000]:
        if status != OrderStatus.REFUSED:
            break
        count += 1
    return count


def _venue_to_avoid(liquidation: Liquidation) -> Market | None:
    """The venue that has refused the last REFUSALS_BEFORE_SWITCH orders, if one has refused them all."""
    latest = liquidation.orders.order_by("-sequence").values_list("market", "status")[: settings.REFUSALS_BEFORE_SWITCH]
    if len(latest) < settings.REFUSALS_BEFORE_SWITCH:
        return None
    venues = {market for market, status in latest if status == OrderStatus.REFUSED}
    everything_refused = all(status == OrderStatus.REFUSED for _market, status in latest)
    return Market(venues.pop()) if everything_refused and len(venues) == 1 else None


def _write(liquidation: Liquidation, choice: Choice, now: datetime) -> TradeOrder:
    request_id = str(uuid.uuid4())
    return TradeOrder.objects.create(
        liquidation=liquidation,
        sequence=liquidation.orders.count() + 1,
        market=choice.market,
        request_id=request_id,
        quantity=choice.quantity,
        quoted_unit_price=round_down(choice.unit_price, DECIMAL_PLACES),
        payload=VENUES[choice.market].payload(request_id, choice.quantity),
        created_at=now,
        due_at=now,
    )
