"""A person finds out what became of an order that the market would not explain, or has not explained for long."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import transaction

from coruscant import enqueue, history
from coruscant.errors import DomainError
from coruscant.money import decimal_string, exact
from liquidation import band, chains
from liquidation.locking import lock
from liquidation.models import Liquidation, LiquidationStatus, OrderStatus, TradeOrder
from liquidation.sell import book_trade, books_can_hold
from loans.models import Loan

log = structlog.get_logger(__name__)


class OrderNotUnresolved(DomainError):
    """A person answered for an order that is not, or no longer, waiting for one."""

    code = "order-not-unresolved"
    title = "The order is not waiting for a person"
    status = 409


class SecondPersonNeeded(DomainError):
    """One person alone answered for an order, and the bank wants two (`FOUR_EYES`)."""

    code = "second-person-needed"
    title = "A second person must agree"
    status = 409


class FiguresNeedTwo(SecondPersonNeeded):
    """One person alone entered figures that are far from what the market offered."""

    code = "figures-need-two-people"
    title = "Figures that are far from the market's prices need a second person"
    status = 409


class FiguresDoNotFit(DomainError):
    """A person entered figures that the order cannot have traded."""

    code = "figures-do-not-fit"
    title = "The figures do not fit the order"
    status = 422


def waits_for_a_person(order: TradeOrder) -> bool:
    """Whether people may answer for an order: it is unresolved, or so many sends of it have not made it clear."""
    return order.status == OrderStatus.UNRESOLVED or is_still_sent(order)


def is_still_sent(order: TradeOrder) -> bool:
    """Whether an order that people may answer for is sent meanwhile: a send of it may be under way at any instant."""
    sent = order.status in (OrderStatus.OPEN, OrderStatus.UNKNOWN)
    return sent and order.sends >= settings.ORDER_SENDS_BEFORE_ATTENTION


def resolve_as_traded(
    *, order_id: int, units: Decimal, proceeds: Decimal, actor_name: str, actor_id: int, two_people: bool = False
) -> None:
    """Book that the market did trade: `units` for `proceeds` GC in total; the sale goes on, or is settled.

    `two_people`: a second person has agreed to these figures, which those outside the band need (`two_people.py`, the
    only caller that may say so). Locks: loan, then liquidation. Raises OrderNotUnresolved, FiguresDoNotFit,
    FiguresNeedTwo, SecondPersonNeeded; then nothing is changed.
    """
    with _resolving(order_id, actor_name, actor_id, two_people=two_people) as (loan, liquidation, order, now):
        check_figures(liquidation, order, units, proceeds)
        if not two_people and not band.can_be_true(order, units, proceeds, now):
            raise FiguresNeedTwo(
                f"{proceeds:f} GC for {units:f} units is far from what the market offered: a second person must agree."
            )
        book_trade(loan, liquidation, order, units=units, proceeds=proceeds, now=now)


def check_figures(liquidation: Liquidation, order: TradeOrder, units: Decimal, proceeds: Decimal) -> None:
    """Raises FiguresDoNotFit for what no order of this size, of what is left, can have traded, whoever says so."""
    if not 0 < units <= order.quantity or proceeds <= 0 or not books_can_hold(liquidation, proceeds):
        raise FiguresDoNotFit(f"An order of {order.quantity:f} units cannot have traded {units:f} for {proceeds:f} GC.")
    with exact():
        left = liquidation.collateral_at_claim - liquidation.collateral_sold
    if units > left:
        raise FiguresDoNotFit(
            f"The books have {decimal_string(left)} units left, so {decimal_string(units)} cannot be booked."
        )


def resolve_as_not_traded(*, order_id: int, actor_name: str, actor_id: int, two_people: bool = False) -> None:
    """Book that the market did not trade, and will not; the next order is sized anew.

    Locks: loan, then liquidation. Raises OrderNotUnresolved, SecondPersonNeeded; then nothing is changed.
    """
    with _resolving(order_id, actor_name, actor_id, two_people=two_people) as (_loan, _liquidation, order, now):
        order.status = OrderStatus.REFUSED
        order.answered_at = now
        order.save(update_fields=["status", "answered_at"])


@contextmanager
def _resolving(
    order_id: int, actor_name: str, actor_id: int, *, two_people: bool
) -> Iterator[tuple[Loan, Liquidation, TradeOrder, datetime]]:
    """The order and what it belongs to, locked, the liquidation selling again; its sale is enqueued on commit.

    The sale is taken from whoever works at it: what a send that is under way is answered is kept, and decides nothing.
    In a transaction of its own, or in that of an approval, which names its cause again when this has ended.
    """
    with history.acting_as(actor_name, actor_id), transaction.atomic():
        liquidation_id = TradeOrder.objects.values_list("liquidation_id", flat=True).get(pk=order_id)
        loan, liquidation, now = lock(liquidation_id, "resolve")
        order = TradeOrder.objects.get(pk=order_id)
        if not waits_for_a_person(order):
            raise OrderNotUnresolved(
                "The order is not waiting for a person: somebody has answered for it, or the market is still asked."
            )
        if settings.FOUR_EYES and not two_people:
            raise SecondPersonNeeded("A second person must agree to what one says of an order.")
        # I14 looks for the approval of what two people have resolved.
        history.set_cause("resolve-by-two" if two_people else "resolve", correlation_id=order.request_id)
        liquidation.status, liquidation.due_at = LiquidationStatus.SELLING, now
        liquidation.fence, liquidation.leased_until = liquidation.fence + 1, None
        liquidation.save(update_fields=["status", "due_at", "fence", "leased_until"])
        yield loan, liquidation, order, now
        enqueue.on_commit(chains.sale(liquidation_id))
    log.info("order_resolved", order_request_id=order.request_id, status=order.status, actor=actor_name)
