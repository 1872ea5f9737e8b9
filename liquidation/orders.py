"""The next order of a liquidation: its size and its venue, from the venues' last curves."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile

import structlog
from django.conf import settings

from coruscant.money import DECIMAL_PLACES, round_down
from coruscant.rows import Select
from liquidation import breaker
from liquidation.models import Liquidation, OrderStatus, TradeOrder
from liquidation.sizing import Bounds, Choice, VenueCurve, choose
from liquidation.venues import VENUES
from liquidation.verdicts import Answer, NeverSent, Refused, Traded
from loans.models import Loan
from pricing.markets import Market
from pricing.snapshot import Snapshot

log = structlog.get_logger(__name__)

#: How long a sale waits when no venue has a curve or takes orders.
NO_VENUE_DELAY = timedelta(seconds=2)
#: The back-off after refusals grows no more after so many.
_MOST_REFUSALS = 20

_LATEST = Select(TradeOrder, "FROM liquidation_tradeorder WHERE liquidation_id = %s ORDER BY sequence DESC LIMIT %s")
_BY_ID = Select(TradeOrder, "FROM liquidation_tradeorder WHERE id = %s")


def latest(liquidation: Liquidation) -> list[TradeOrder]:
    """A liquidation's newest orders, newest first: as many as sizing needs. One without a verdict is the first."""
    return _LATEST.all(liquidation.pk, settings.REFUSALS_BEFORE_SWITCH)


def by_id(order_id: int) -> TradeOrder:
    """An order that is there."""
    return _BY_ID.all(order_id)[0]


def size(
    loan: Loan, liquidation: Liquidation, latest_orders: Sequence[TradeOrder], prices: Snapshot, now: datetime
) -> TradeOrder | datetime:
    """The next order of a liquidation whose rows the caller has locked, not yet written; or when to try again.

    `prices` were read before the rows were locked. The venue with the better price for the quantity wins; after
    REFUSALS_BEFORE_SWITCH refusals in a row it is the other one's turn. A paused venue gets one order as a probe, of
    one sale only.
    """
    states = breaker.states(now)
    curves = [
        VenueCurve(curve.market, curve.levels, curve.fresh)
        for curve in prices.curves(now).values()
        if curve.market in states.open | states.probeable
    ]
    bounds = Bounds(step=settings.ORDER_QUANTITY_STEP, max_quantity=settings.MAX_ORDER_QUANTITY)
    avoid = _venue_to_avoid(latest_orders)
    while curves:
        choice = choose(curves, owed=loan.outstanding_balance, available=loan.collateral, bounds=bounds, avoid=avoid)
        if choice is None:
            break
        if choice.market in states.open or breaker.take_probe(choice.market, now):
            return _order(liquidation, latest_orders, choice, now)
        curves = [curve for curve in curves if curve.market != choice.market]
    log.warning("no_venue_takes_orders")
    return max(now, min(now + NO_VENUE_DELAY, states.next_probe_at or now + NO_VENUE_DELAY))


def record_answer(order: TradeOrder, answer: Answer) -> None:
    """Keep on the order, for a person, what came back last; the caller saves."""
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
    """How many of the latest orders were refused in a row; counted up to where the back-off grows no more."""
    statuses = liquidation.orders.order_by("-sequence").values_list("status", flat=True)[:_MOST_REFUSALS]
    return sum(1 for _ in takewhile(lambda status: status == OrderStatus.REFUSED, statuses))


def _venue_to_avoid(latest_orders: Sequence[TradeOrder]) -> Market | None:
    """The venue that has refused the last REFUSALS_BEFORE_SWITCH orders, if one has refused them all."""
    refusers = {order.market for order in latest_orders if order.status == OrderStatus.REFUSED}
    refused = sum(order.status == OrderStatus.REFUSED for order in latest_orders)
    if refused < settings.REFUSALS_BEFORE_SWITCH or len(refusers) != 1:
        return None
    return Market(refusers.pop())


def _order(liquidation: Liquidation, latest_orders: Sequence[TradeOrder], choice: Choice, now: datetime) -> TradeOrder:
    request_id = str(uuid.uuid4())
    return TradeOrder(
        liquidation=liquidation,
        sequence=latest_orders[0].sequence + 1 if latest_orders else 1,
        market=choice.market,
        request_id=request_id,
        quantity=choice.quantity,
        quoted_unit_price=round_down(choice.unit_price, DECIMAL_PLACES),
        payload=VENUES[choice.market].payload(request_id, choice.quantity),
        created_at=now,
        due_at=now,
    )
