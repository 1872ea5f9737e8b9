"""Sell: order after order, until the balance is covered or nothing sellable is left.

Each step is a transaction, a call to a market outside any transaction, and a transaction. The first commits the order,
the lease and the count of sends before a byte is sent. The last keeps the answer and books what it proves; if the lease
is no longer this worker's, it is kept and decides nothing. Locks, always in this order: loan, liquidation.
"""

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from coruscant import failpoints, rows
from coruscant.backoff import back_off
from coruscant.money import exact, fits
from coruscant.restores import identity
from coruscant.rows import Write
from liquidation import band, breaker, last_send, orders, venues, verdicts
from liquidation.locking import lock
from liquidation.models import PENDING_ORDER_STATUSES, Liquidation, LiquidationStatus, OrderStatus, TradeOrder
from liquidation.settlement import SALE_FIGURES, settle, settle_if_done
from liquidation.verdicts import Answer, Traded, Verdict, fill, verdict
from loans import sales
from loans.models import Loan
from pricing import best_price
from pricing.markets import Market

log = structlog.get_logger(__name__)

#: A run of a task ends well before its soft time limit; the row is due again at once.
LONGEST_RUN = timedelta(seconds=30)
#: So many refusals in a row are chance; more are a market that does not want to trade.
REFUSALS_AT_FULL_SPEED = 4


class Outcome(StrEnum):
    """How a run of a sale ended."""

    SETTLED = "settled"
    WAITING = "waiting for a person"
    LATER = "due again later"
    BUSY = "another worker holds the lease"
    NOT_DUE = "the order was sent and is not due again yet"
    HELD = "held: the database may have lost orders"


@dataclass(frozen=True, slots=True)
class OrderAttempt:
    """One committed send of an order, its `send`th: what goes to which market, under which fence."""

    liquidation_id: int
    fence: int
    order_id: int
    market: Market
    request_id: str
    payload: str
    send: int
    counted_at: datetime


def sell(liquidation_id: int) -> Outcome:
    """Take the sale of one liquidation as far as it goes now.

    Safe to call twice at once, late, or after a crash: the row's lease lets one worker in, the fence keeps a late
    one from writing, and an order without a verdict is sent again under its own requestId. Raises nothing of the
    markets; database errors pass through. Every log line of a sale carries the fields bound here: to add a field to
    all of them, bind it in this function. The price event behind the claim is bound as soon as the row is read.
    """
    fence, began = None, None
    with structlog.contextvars.bound_contextvars(liquidation_id=liquidation_id, correlation_id=None):
        while True:
            prepared_at = time.monotonic()
            attempt = _prepare(liquidation_id, fence, began)
            if isinstance(attempt, Outcome):
                return attempt
            last_send.remember(attempt.order_id, attempt.request_id, attempt.send, attempt.counted_at)
            failpoints.reach("sell.order_committed")
            # A worker that was frozen meanwhile must not send under a lease that is another's by now.
            lease_left = settings.LEASE_SECONDS - (time.monotonic() - prepared_at)
            if lease_left <= 0:
                return Outcome.BUSY
            answer = venues.send_order(
                attempt.market, attempt.payload, request_id=attempt.request_id, at_most_seconds=lease_left
            )
            failpoints.reach("sell.answered")
            outcome = _book(attempt, answer)
            failpoints.reach("sell.booked")
            if outcome is not None:
                return outcome
            fence, began = attempt.fence, began or attempt.counted_at


def _prepare(  # noqa: PLR0911  (each is a reason not to send)
    liquidation_id: int, fence: int | None, began: datetime | None
) -> OrderAttempt | Outcome:
    """Take or renew the lease, find or size the order, count the send; commit. `began`: when this run first sent."""
    identity.accepted()  # asks the witnesses, and so Redis, if it has to; what counts is read within
    prices = best_price.snapshot()  # from Redis, so before any row is locked
    with transaction.atomic(durable=True):
        try:
            loan, liquidation, now = lock(liquidation_id, "sell")
        except ObjectDoesNotExist:  # a restored database may have lost the claim
            log.error("sale_of_an_unknown_claim")  # noqa: TRY400  (says it all)
            return Outcome.HELD
        structlog.contextvars.bind_contextvars(correlation_id=liquidation.correlation_id)
        if liquidation.status == LiquidationStatus.SETTLED:
            return Outcome.SETTLED
        if liquidation.status == LiquidationStatus.WAITING:
            return Outcome.WAITING
        if liquidation.held_by_id or not identity.accepted():
            return Outcome.HELD
        if liquidation.leased_until and liquidation.leased_until > now and liquidation.fence != fence:
            return Outcome.BUSY
        # What is left may be too little to sell from the start.
        if settle_if_done(loan, liquidation, now):
            return Outcome.SETTLED
        if began is not None and now - began > LONGEST_RUN:
            return _later(liquidation, now)
        latest = orders.latest(liquidation)
        order = latest[0] if latest and latest[0].status in PENDING_ORDER_STATUSES else None
        if order is None:
            placed = orders.size(loan, liquidation, latest, prices, now)
            if not isinstance(placed, TradeOrder):
                return _later(liquidation, placed)
            order = placed
        if order.quantity > loan.collateral:  # a trade of it was adopted since: the units may be gone
            return _wait_for_a_person(liquidation, order, "more was ordered than is left")
        if order.due_at > now:
            return Outcome.NOT_DUE
        failpoints.reach("sell.sized")
        return _count_send(liquidation, order, fence, now)


def _count_send(liquidation: Liquidation, order: TradeOrder, fence: int | None, now: datetime) -> OrderAttempt:
    """Count a send of this order, stored or new, under a lease, before anything is sent."""
    if fence is None or liquidation.fence != fence:
        liquidation.fence += 1
    liquidation.leased_until = liquidation.due_at = now + timedelta(seconds=settings.LEASE_SECONDS)
    order.sends += 1
    if order.sends >= settings.ORDER_SENDS_BEFORE_ATTENTION:
        log.error("order_needs_attention", order_request_id=order.request_id, market=order.market, sends=order.sends)
    order.due_at = liquidation.leased_until
    counted = None if order._state.adding else ("sends", "due_at")
    rows.write((liquidation, ("fence", "leased_until", "due_at")), (order, counted))
    return OrderAttempt(
        liquidation_id=liquidation.pk,
        fence=liquidation.fence,
        order_id=order.pk,
        market=Market(order.market),
        request_id=order.request_id,
        payload=order.payload,
        send=order.sends,
        counted_at=now,
    )


def _later(liquidation: Liquidation, due_at: datetime, *others: Write) -> Outcome:
    """Let go of the lease until the row is due again; write others along."""
    liquidation.leased_until, liquidation.due_at = None, due_at
    rows.write(*others, (liquidation, ("leased_until", "due_at")))
    return Outcome.LATER


def _book(attempt: OrderAttempt, answer: Answer) -> Outcome | None:
    """Keep the answer and book what it proves, under the fence; None means that the sale goes on at once.

    Another database than the one that the order was written to may not know it, or have another in its place.
    """
    identity.accepted()  # as above: a synchronous standby may have been promoted meanwhile
    with transaction.atomic(durable=True):
        try:
            loan, liquidation, now = lock(attempt.liquidation_id, "sell")
            order = orders.by_id(attempt.order_id)
        except ObjectDoesNotExist:
            order = None
        if order is None or order.request_id != attempt.request_id:
            log.error(
                "answer_to_an_unknown_order",
                order_request_id=attempt.request_id,
                market=attempt.market,
                answer=verdicts.text(answer),
            )
            return Outcome.HELD
        held = liquidation.held_by_id or not identity.accepted()
        if liquidation.fence != attempt.fence or held or liquidation.status != LiquidationStatus.SELLING:
            log.warning("stale_lease_holder_decides_nothing", order_request_id=order.request_id, fence=attempt.fence)
            if isinstance(answer, Traded) and order.status == OrderStatus.REFUSED:
                log.error("refused_order_traded", order_request_id=order.request_id, market=order.market)
            order.sends = max(order.sends, attempt.send)  # a restored database may have forgotten the send
            orders.keep_stale(order, attempt.send, answer, now)
            return Outcome.BUSY
        if isinstance(answer, Traded) and not _can_be_true(liquidation, order, answer, now):
            answer = replace(answer, proceeds=None)
        earlier, seen_before = orders.earlier(order, answer)
        found = verdict(answer, ordered=order.quantity, earlier=earlier, seen_before=seen_before)
        log.info("order_answered", order_request_id=order.request_id, market=order.market, verdict=str(found))
        kept: Write = (orders.kept(order, attempt.send, answer, now), None)
        match found:
            case Verdict.FILLED:
                outcome = _book_fill(loan, liquidation, order, answer, now, kept)
            case Verdict.REFUSED:
                outcome = _book_refusal(liquidation, order, now, kept)
            case Verdict.ASK_AGAIN:
                order.status, order.due_at, outcome = OrderStatus.UNKNOWN, now, None
                rows.write((order, ("status", "due_at")), kept)
            case Verdict.UNKNOWN:
                outcome = _book_unknown(liquidation, order, now, kept)
            case Verdict.UNRESOLVED:
                outcome = _wait_for_a_person(liquidation, order, verdicts.text(answer), kept)
        failpoints.reach("sell.written")
    if found is not Verdict.ASK_AGAIN:  # an order that is refused in the end counts once
        breaker.count_outcome(attempt.market, failed=found is not Verdict.FILLED, now=now)
    return outcome


def _can_be_true(liquidation: Liquidation, order: TradeOrder, answer: Traded, now: datetime) -> bool:
    """Whether the figures of a success can be stored, and lie within what the market offered."""
    if not answer.units or not answer.proceeds:
        return True  # the verdict has its own rules for figures that are missing or zero
    return books_can_hold(liquidation, answer.proceeds) and band.can_be_true(order, answer.units, answer.proceeds, now)


def books_can_hold(liquidation: Liquidation, proceeds: Decimal) -> bool:
    """Whether the liquidation's proceeds stay within what is stored when `proceeds` GC are added."""
    with exact():
        return fits(liquidation.proceeds + proceeds)


def book_trade(
    loan: Loan,
    liquidation: Liquidation,
    order: TradeOrder,
    *others: Write,
    units: Decimal,
    proceeds: Decimal,
    now: datetime,
    may_settle: bool = True,
) -> bool:
    """Book a trade of `units` for `proceeds` GC on all three rows, which the caller has locked; settle if it is done.

    `may_settle` is False while another order may have traded. The order may be a new one, not yet written. Writes
    others along. Returns whether it is settled.
    """
    order.status, order.answered_at = OrderStatus.FILLED, now
    order.units_traded, order.proceeds = units, proceeds
    with exact():
        liquidation.collateral_sold += units
        liquidation.proceeds += proceeds
    done = sales.book_sale(loan, units, proceeds, smallest_sale=settings.ORDER_QUANTITY_STEP, may_finish=may_settle)
    sold: tuple[Write, ...] = settle(loan, liquidation, now) if done else ((liquidation, SALE_FIGURES),)
    figures = ("status", "answered_at", "venue_order_id", "units_traded", "proceeds")
    rows.write((order, None if order._state.adding else figures), (loan, sales.BOOKED), *sold, *others)
    return done


def _book_fill(
    loan: Loan, liquidation: Liquidation, order: TradeOrder, answer: Answer, now: datetime, kept: Write
) -> Outcome | None:
    proved = fill(answer, ordered=order.quantity)
    assert proved is not None  # noqa: S101  (the verdict says so)
    order.venue_order_id = proved.venue_order_id
    settled = book_trade(loan, liquidation, order, kept, units=proved.units, proceeds=proved.proceeds, now=now)
    return Outcome.SETTLED if settled else None


def _book_refusal(liquidation: Liquidation, order: TradeOrder, now: datetime, kept: Write) -> Outcome | None:
    order.status, order.answered_at = OrderStatus.REFUSED, now
    rows.write((order, ("status", "answered_at")), kept)
    in_row = orders.refusals_in_row(liquidation)
    if in_row <= REFUSALS_AT_FULL_SPEED:
        return None
    return _later(liquidation, now + back_off(in_row - REFUSALS_AT_FULL_SPEED, order.request_id))


def _book_unknown(liquidation: Liquidation, order: TradeOrder, now: datetime, kept: Write) -> Outcome:
    order.status = OrderStatus.UNKNOWN
    order.due_at = now + back_off(order.sends, order.request_id)
    return _later(liquidation, order.due_at, (order, ("status", "due_at")), kept)


def _wait_for_a_person(liquidation: Liquidation, order: TradeOrder, why: str, *others: Write) -> Outcome:
    """Send the order no more until a person has found out what became of it; write others along."""
    order.status = OrderStatus.UNRESOLVED
    liquidation.status, liquidation.leased_until = LiquidationStatus.WAITING, None
    rows.write((order, ("status",)), (liquidation, ("status", "leased_until")), *others)
    log.error("order_unresolved", order_request_id=order.request_id, market=order.market, why=why)
    return Outcome.WAITING
