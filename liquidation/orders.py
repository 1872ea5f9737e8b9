"""The orders of a liquidation: the next one's size and venue, from the venues' last curves, and what came back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Max

from coruscant import ids, rows
from coruscant.controls import in_force
from coruscant.money import DECIMAL_PLACES, round_down
from coruscant.rows import Select
from liquidation import breaker, verdicts
from liquidation.models import Liquidation, OrderAnswer, OrderStatus, TradeOrder
from liquidation.sizing import Bounds, Choice, VenueCurve, choose
from liquidation.venues import VENUES
from liquidation.verdicts import CLEAN_REFUSALS, Answer, AnswerKind, Earlier, Traded
from loans.models import Loan
from pricing.markets import Market
from pricing.snapshot import Snapshot

log = structlog.get_logger(__name__)

#: How long a sale waits when no venue has a curve or takes orders.
NO_VENUE_DELAY = timedelta(seconds=2)
#: The back-off after refusals grows no more after so many.
_MOST_REFUSALS = 20
_MAX_KIND = 32

# An adopted order may be newer than a pending one.
_LATEST = Select(
    TradeOrder,
    "FROM liquidation_tradeorder WHERE liquidation_id = %s"
    " ORDER BY status IN ('open', 'unknown', 'unresolved') DESC, sequence DESC LIMIT %s",
)
_BY_ID = Select(TradeOrder, "FROM liquidation_tradeorder WHERE id = %s")
# Counted by the database: an order that stays unknown may have thousands of answers.
_EARLIER = """
    SELECT count(*) FILTER (WHERE kind = ANY(%s)), count(*) FILTER (WHERE kind = %s),
           count(*) FILTER (WHERE kind = %s AND text = %s) > 0
    FROM liquidation_orderanswer WHERE order_id = %s AND NOT stale AND send < %s
"""


def latest(liquidation: Liquidation) -> list[TradeOrder]:
    """A liquidation's newest orders, newest first: as many as sizing needs. A pending one comes before all others."""
    return _LATEST.all(liquidation.pk, settings.REFUSALS_BEFORE_SWITCH)


def by_id(order_id: int) -> TradeOrder:
    """The order. Raises TradeOrder.DoesNotExist."""
    found = _BY_ID.all(order_id)
    if not found:
        raise TradeOrder.DoesNotExist(f"there is no order {order_id}")
    return found[0]


def size(
    loan: Loan, liquidation: Liquidation, latest_orders: Sequence[TradeOrder], prices: Snapshot, now: datetime
) -> TradeOrder | datetime:
    """The next order of a liquidation whose rows the caller has locked, not yet written; or when to try again.

    `prices` were read before the rows were locked. The venue with the better price for the quantity wins; after
    REFUSALS_BEFORE_SWITCH refusals in a row it is the other one's turn. A paused venue gets one order as a probe, of
    one sale only. A market that is to get no new orders gets none.
    """
    states = breaker.states(now)
    takes_orders = (states.open | states.probeable) - in_force.markets_without_new_orders(now)
    curves = [
        VenueCurve(curve.market, curve.levels, curve.fresh)
        for curve in prices.curves(now).values()
        if curve.market in takes_orders
    ]
    bounds = Bounds(step=settings.ORDER_QUANTITY_STEP, max_quantity=settings.MAX_ORDER_QUANTITY)
    avoid = _venue_to_avoid(latest_orders)
    while curves:
        choice = choose(curves, owed=loan.outstanding_balance, available=loan.collateral, bounds=bounds, avoid=avoid)
        if choice is None:
            break
        if choice.market in states.open or breaker.take_probe(choice.market, now):
            return _order(loan, liquidation, latest_orders, choice, now)
        curves = [curve for curve in curves if curve.market != choice.market]
    log.warning("no_venue_takes_orders")
    return max(now, min(now + NO_VENUE_DELAY, states.next_probe_at or now + NO_VENUE_DELAY))


def kept(order: TradeOrder, send: int, answer: Answer, now: datetime, *, stale: bool = False) -> OrderAnswer:
    """The answer to the `send`th send of an order as it is kept, not yet written."""
    kind, text = verdicts.kind(answer)[:_MAX_KIND], verdicts.text(answer)
    return OrderAnswer(order=order, send=send, received_at=now, kind=kind, text=text, stale=stale)


def keep_stale(order: TradeOrder, send: int, answer: Answer, now: datetime) -> None:
    """Write the answer of a stale lease holder, and the count of sends. The caller has locked the liquidation.

    Databases that were restored twice may give a send's number three times: then the third answer is only logged.
    """
    late = kept(order, send, answer, now, stale=True)
    if order.answers.filter(send=send, stale=True).exists():
        log.error("stale_answer_not_kept", order_request_id=order.request_id, send=send, kind=late.kind, text=late.text)
        rows.write((order, ("sends",)))
    else:
        rows.write((order, ("sends",)), (late, None))


def earlier(order: TradeOrder, answer: Answer) -> tuple[Earlier, bool]:
    """What became of an order's sends before the last one, which `answer` belongs to; and whether one of them had the
    same figures, which did not fit.

    A send without an answer counts as lost, and the answers of stale lease holders decide nothing. If a restore may
    have lost some, every send counts as lost.
    """
    if order.sends == 1 and not order.refusals_prove_nothing:
        return Earlier(), False
    figures = answer.figures if isinstance(answer, Traded) else None
    kinds = list(CLEAN_REFUSALS), AnswerKind.NEVER_SENT, AnswerKind.SUCCESS
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, [*kinds, figures, order.pk, order.sends])
        refused, never_sent, seen_before = cursor.fetchone()
    if order.refusals_prove_nothing:
        return Earlier(sends=order.sends), seen_before
    return Earlier(sends=order.sends - 1, refused=refused, never_sent=never_sent), seen_before


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


def _order(
    loan: Loan, liquidation: Liquidation, latest_orders: Sequence[TradeOrder], choice: Choice, now: datetime
) -> TradeOrder:
    number = _last_number(choice.market, liquidation, latest_orders) + 1
    request_id = ids.order_id(
        settings.INSTALLATION_NAMESPACE,
        application=loan.request_id,
        loan_id=loan.loan_id,
        market=choice.market,
        number=number,
    )
    return TradeOrder(
        liquidation=liquidation,
        sequence=latest_orders[0].sequence + 1 if latest_orders else 1,
        market=choice.market,
        number=number,
        request_id=request_id,
        quantity=choice.quantity,
        quoted_unit_price=round_down(choice.unit_price, DECIMAL_PLACES),
        payload=VENUES[choice.market].payload(request_id, choice.quantity),
        created_at=now,
        due_at=now,
        refusals_prove_nothing=liquidation.orders_may_be_missing,
    )


def _last_number(market: Market, liquidation: Liquidation, latest_orders: Sequence[TradeOrder]) -> int:
    """The number of this loan's last order at a market; 0 if it has had none there."""
    if not latest_orders or latest_orders[0].sequence == len(latest_orders):  # these are all of them
        return max((order.number for order in latest_orders if order.market == market), default=0)
    return liquidation.orders.filter(market=market).aggregate(last=Max("number", default=0))["last"]  # type: ignore[no-any-return]
