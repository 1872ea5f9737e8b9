"""What people do about a difference: adopt the trade that the market states, or explain it. Both need two people."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import structlog
from django.db import transaction
from django.db.models import Max

from coruscant import clock, enqueue, failpoints, history, locks
from coruscant.errors import DomainError
from coruscant.money import DECIMAL_PLACES, decimal_string, exact, fits, round_down
from coruscant.restores import holds, identity
from liquidation import chains
from liquidation.models import (
    PENDING_ORDER_STATUSES,
    ClaimFailure,
    Liquidation,
    LiquidationStatus,
    OrderStatus,
    TradeOrder,
)
from liquidation.reconciliation import release
from liquidation.reconciliation.models import ADOPTABLE, DifferenceStatus, ReconciliationDifference
from liquidation.sell import book_trade, books_can_hold
from liquidation.venues import VENUES
from loans import sales
from loans.events.models import LoanEventType
from loans.events.write import write_events
from loans.models import Loan, LoanStatus
from pricing.markets import Market

log = structlog.get_logger(__name__)


class DifferenceNotOpen(DomainError):
    """Somebody has dealt with the difference already."""

    code = "difference-not-open"
    title = "The difference is no longer open"
    status: ClassVar[int] = 409


class NotAdoptable(DomainError):
    """There is no trade to be booked, or nobody knows for which loan."""

    code = "not-adoptable"
    title = "The difference cannot be adopted"
    status: ClassVar[int] = 409


class RequestsNotRepeated(DomainError):
    """A loan would be claimed while postings of it may still be lost, and would be refused afterwards."""

    code = "requests-not-repeated"
    title = "The OTC service has to repeat its requests first"
    status: ClassVar[int] = 409


class TradeDoesNotFit(DomainError):
    """The loan has not the units that the market states, or the figures cannot be stored."""

    code = "trade-does-not-fit"
    title = "The trade does not fit the loan"
    status: ClassVar[int] = 409


def adopt(difference_id: int, *, by: str) -> TradeOrder:
    """Book the trade that a market states: its loan is claimed if it is not, whatever the price, and the sale goes on.

    The order is the pending one of that id, one that was believed refused, or a new one. To be agreed by two people.
    Locks: reconciliations, evaluations, loan, liquidation. Raises DifferenceNotOpen, NotAdoptable, RequestsNotRepeated,
    TradeDoesNotFit, DatabaseReplaced; then nothing is changed.
    """
    with transaction.atomic(), history.cause("adopt", correlation_id=f"difference-{difference_id}"):
        difference = locked(difference_id)
        loan, now = loan_of(difference, lock=True), clock.now()
        units, proceeds, _traded_at = _figures(difference)
        sale = _sale(loan, difference, now)
        order = _order(sale, difference, now)
        if not books_can_hold(sale, proceeds) or units > order.quantity:
            raise TradeDoesNotFit("The market states more than was ordered, or than can be stored.")
        others = sale.orders.filter(status__in=PENDING_ORDER_STATUSES).exclude(pk=order.pk)
        if sale.status == LiquidationStatus.WAITING and not others.filter(status=OrderStatus.UNRESOLVED).exists():
            sale.status = LiquidationStatus.SELLING
        # Whoever sells it now hears an answer that is booked already, or sized an order on what is no longer left.
        sale.fence, sale.leased_until, sale.due_at = sale.fence + 1, None, now
        sale.save(update_fields=["status", "fence", "leased_until", "due_at"])
        book_trade(loan, sale, order, units=units, proceeds=proceeds, now=now, may_settle=not others.exists())
        _close(difference, DifferenceStatus.ADOPTED, now, order=order)
        if sale.held_by_id is None:
            enqueue.on_commit(chains.sale(sale.pk))
        failpoints.reach("adoption.written")
        release.release_compared(by)
    log.warning("trade_adopted", difference=difference_id, order_request_id=order.request_id, actor=by)
    return order


def explain(difference_id: int, *, note: str, by: str) -> None:
    """Close a difference that no booking makes right, and say why. To be agreed by two people.

    Locks: reconciliations, evaluations. Raises DifferenceNotOpen, DatabaseReplaced.
    """
    with transaction.atomic(), history.cause("explain", correlation_id=f"difference-{difference_id}"):
        _close(locked(difference_id), DifferenceStatus.EXPLAINED, clock.now(), note=note)
        release.release_compared(by)
    log.warning("difference_explained", difference=difference_id, actor=by)


def locked(difference_id: int) -> ReconciliationDifference:
    """An open difference, locked to the end of the transaction. Raises DifferenceNotOpen, DatabaseReplaced.

    Evaluations are locked as well, before any loan: closing the last difference may release a restore.
    """
    identity.require()
    locks.exclusive(locks.RECONCILIATION)
    locks.exclusive(locks.EVALUATION)
    found = ReconciliationDifference.objects.select_for_update(of=("self",)).filter(pk=difference_id).first()
    if found is None or found.status != DifferenceStatus.OPEN:
        raise DifferenceNotOpen(f"Difference {difference_id} is not, or no longer, open.")
    return found


def loan_of(difference: ReconciliationDifference, *, lock: bool = False) -> Loan:
    """The loan that a difference can be adopted for, locked if need be. Raises NotAdoptable, TradeDoesNotFit."""
    if difference.kind not in ADOPTABLE or difference.loan_id is None:
        raise NotAdoptable("There is no trade to book, or no loan of the bank's has an order of this id.")
    loans = Loan.objects.select_for_update() if lock else Loan.objects
    loan = loans.get(pk=difference.loan_id)
    units, _proceeds, _traded_at = _figures(difference)
    if loan.status == LoanStatus.LIQUIDATED:
        raise NotAdoptable(f"The liquidation of loan {loan.loan_id} is settled: explain the difference.")
    if units > loan.collateral:
        raise TradeDoesNotFit(
            f"Loan {loan.loan_id} has {decimal_string(loan.collateral)} units left, not {decimal_string(units)}:"
            " postings of it may be missing, or the order may have been repeated."
        )
    return loan


def _figures(difference: ReconciliationDifference) -> tuple[Decimal, Decimal, datetime]:
    units, proceeds, traded_at = difference.units, difference.proceeds, difference.traded_at
    if units is None or proceeds is None or traded_at is None:
        raise NotAdoptable("The market states no figures.")
    return units, proceeds, traded_at


def _sale(loan: Loan, difference: ReconciliationDifference, now: datetime) -> Liquidation:
    """The liquidation of a locked loan, locked, or made of what the market states."""
    if loan.status == LoanStatus.LIQUIDATING:
        return Liquidation.objects.select_for_update(of=("self",)).get(loan=loan)
    if holds.claims_wait():
        raise RequestsNotRepeated(
            "The loan would be claimed, and take no more postings: release claims first, once the OTC service has"
            " repeated its requests."
        )
    restore = holds.uncompared()
    units, proceeds, traded_at = _figures(difference)
    with exact():
        price = round_down(proceeds / units, DECIMAL_PLACES)
    if not fits(price):
        raise TradeDoesNotFit("The price of a unit is too large to be stored.")
    if loan.status == LoanStatus.NEW:  # its activation was lost as well
        loan.status, loan.activated_at, loan.prices_apply_from = LoanStatus.ACTIVE, now, now
        loan.save(update_fields=["status", "activated_at", "prices_apply_from"])
        write_events(LoanEventType.ACTIVATION, [loan.pk], price, now)
    made = Liquidation.objects.create(
        loan=loan, terms_id=loan.terms_id, correlation_id=f"{difference.market}:{difference.request_id}", price=price,
        price_at=traded_at, evidence=_evidence(difference, price), balance_at_claim=loan.outstanding_balance,
        collateral_at_claim=loan.collateral, claimed_at=now, due_at=now, held_by=restore,
        orders_may_be_missing=restore is not None,
    )  # fmt: skip
    sales.begin_liquidation([loan.pk], now, price)
    ClaimFailure.objects.filter(loan=loan).delete()
    loan.refresh_from_db()
    return made


def _evidence(difference: ReconciliationDifference, price: Decimal) -> list[dict[str, str]]:
    statement = f"statement {difference.reconciliation_id}, request {difference.request_id}"
    _units, _proceeds, traded_at = _figures(difference)
    return [
        {
            "market": difference.market,
            "reference": statement,
            "sentAt": traded_at.isoformat(),
            "price": decimal_string(price),
        }
    ]


def _order(sale: Liquidation, difference: ReconciliationDifference, now: datetime) -> TradeOrder:
    """The order of the stated id, or a new one, not yet written, of as many units as the market traded."""
    found = sale.orders.filter(market=difference.market, request_id=difference.request_id).first()
    if found is not None:
        if found.status == OrderStatus.FILLED:
            raise NotAdoptable("The books have a trade of this order by now: compare again.")
        return found
    units, proceeds, traded_at = _figures(difference)
    with exact():
        price = round_down(proceeds / units, DECIMAL_PLACES)
    last = sale.orders.aggregate(last=Max("sequence", default=0))["last"]
    return TradeOrder(
        liquidation=sale, sequence=last + 1, market=difference.market, number=difference.number or 0,
        request_id=difference.request_id, quantity=units, quoted_unit_price=price,
        payload=VENUES[Market(difference.market)].payload(difference.request_id, units), created_at=min(traded_at, now),
        due_at=now,
    )  # fmt: skip


def _close(
    difference: ReconciliationDifference, status: DifferenceStatus, now: datetime, *,
    note: str = "", order: TradeOrder | None = None,
) -> None:  # fmt: skip
    difference.status, difference.closed_at, difference.note = status, now, note
    difference.order = order or difference.order
    difference.save(update_fields=["status", "closed_at", "note", "order"])
