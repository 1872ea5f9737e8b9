"""Compare a market's statement with the books, both ways, and keep what differs until somebody has dealt with it."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Sum

from coruscant import clock, history, locks
from coruscant.errors import DomainError
from coruscant.money import exact
from coruscant.restores import holds, identity
from liquidation.models import OrderStatus, TradeOrder
from liquidation.reconciliation import periods, release, statement
from liquidation.reconciliation.attribution import Candidate, attribute
from liquidation.reconciliation.models import (
    DifferenceStatus,
    Kind,
    Reconciliation,
    ReconciliationDifference,
    StatementTrade,
)
from liquidation.reconciliation.statement import StatedTrade
from loans.models import Loan
from pricing.markets import Market

log = structlog.get_logger(__name__)

#: How many numbers beyond a loan's last order are tried, first for all loans, and further if trades are left.
_AHEAD = (4, 12, 40)
_CHUNK = 5000


class PeriodDoesNotFit(DomainError):
    """The period of a statement is not known, has not ended, or does not include all of its trades."""

    code = "period-does-not-fit"
    title = "The period does not fit the statement"
    status: ClassVar[int] = 422


class StatementOfAnotherMarket(DomainError):
    """A statement names orders that were sent to another market."""

    code = "statement-of-another-market"
    title = "The statement is another market's"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Stated:
    """What a market states of one request in total: units, GC, and the instant of the first trade."""

    units: Decimal
    proceeds: Decimal
    traded_at: datetime


def reconcile(
    *, market: Market, content: bytes, by: str, start: datetime | None = None, end: datetime | None = None
) -> Reconciliation:
    """Compare a statement of the trades from `start` to `end`, or from its first line to its last.

    Keeps its lines, opens a difference for each request that differs, closes those that the books agree with by now,
    and releases a restore whose gap is covered without an open difference. The same statement again changes nothing,
    but looks again at what is open. Locks: reconciliations. Raises StatementUnreadable, StatementOfAnotherMarket,
    PeriodDoesNotFit, DatabaseReplaced; then nothing is kept.
    """
    identity.require()
    trades = statement.read(content)
    elsewhere = TradeOrder.objects.filter(request_id__in={trade.request_id for trade in trades}).exclude(market=market)
    if stranger := elsewhere.first():
        raise StatementOfAnotherMarket(f"Order {stranger.request_id} was sent to {stranger.get_market_display()}.")
    with (
        history.acting_as(by, None),
        transaction.atomic(durable=True),
        history.cause("reconcile", correlation_id=str(market)),
    ):
        locks.exclusive(locks.RECONCILIATION)
        now = clock.now()
        found = _keep(market, trades, hashlib.sha256(content).hexdigest(), by, _period(trades, start, end, now), now)
        _look_again(market, now)
        _open(found, _differing(market, {trade.request_id for trade in trades}), now)
        _open(found, _missing(market, found), now)
    _attribute(market)
    release.release_compared(by)
    log.info("statement_compared", market=market, reconciliation=found.pk, trades=len(trades), actor=by)
    return found


def stated(market: str, request_ids: Collection[str]) -> dict[str, Stated]:
    """What the market has stated of these requests, in any statement; nothing of the others."""
    rows = (
        StatementTrade.objects.filter(market=market, request_id__in=request_ids)
        .order_by()
        .values_list("request_id")
        .annotate(Sum("units"), Sum("proceeds"), Min("traded_at"))
    )
    return {request_id: Stated(*figures) for request_id, *figures in rows}


def _period(
    trades: Sequence[StatedTrade], start: datetime | None, end: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    times = [trade.traded_at for trade in trades]
    start, end = start or min(times, default=None), end or max(times, default=None)
    if start is None or end is None:
        raise PeriodDoesNotFit("A statement without trades needs both ends of its period.")
    if not start <= end <= now:
        raise PeriodDoesNotFit("The period must end after it begins, and before now.")
    if times and not start <= min(times) <= max(times) <= end:
        raise PeriodDoesNotFit("The statement has trades from outside its period.")
    return start, end


def _keep(
    market: Market,
    trades: Sequence[StatedTrade],
    digest: str,
    by: str,
    period: tuple[datetime, datetime],
    now: datetime,
) -> Reconciliation:
    with exact():
        units, proceeds = sum(trade.units for trade in trades), sum(trade.proceeds for trade in trades)
    found, _made = Reconciliation.objects.update_or_create(
        market=market,
        digest=digest,
        period_from=period[0],
        period_to=period[1],
        defaults={"compared_at": now, "compared_by": by},
        create_defaults={
            "trades": len(trades), "units": units, "proceeds": proceeds, "compared_at": now, "compared_by": by,
        },
    )  # fmt: skip
    StatementTrade.objects.bulk_create(
        [
            StatementTrade(
                reconciliation=found, market=market, request_id=trade.request_id, units=trade.units,
                proceeds=trade.proceeds, traded_at=trade.traded_at,
            )
            for trade in trades
        ],
        batch_size=_CHUNK, ignore_conflicts=True,
    )  # fmt: skip
    return found


def _differing(market: Market, request_ids: Collection[str]) -> Iterable[ReconciliationDifference]:
    """How the books differ from what is stated of these requests."""
    orders = {
        order.request_id: order
        for order in TradeOrder.objects.filter(market=market, request_id__in=request_ids).select_related("liquidation")
    }
    for request_id, trade in stated(market, request_ids).items():
        order = orders.get(request_id)
        if kind := _kind(order, trade):
            yield ReconciliationDifference(
                market=market, request_id=request_id, kind=kind, order=order, units=trade.units,
                proceeds=trade.proceeds, traded_at=trade.traded_at,
                loan_id=order.liquidation.loan_id if order else None, number=order.number if order else None,
            )  # fmt: skip


def _kind(order: TradeOrder | None, trade: Stated) -> Kind | None:
    if order is None:
        return Kind.UNKNOWN
    if order.status != OrderStatus.FILLED:
        return Kind.UNBOOKED
    return None if (order.units_traded, order.proceeds) == (trade.units, trade.proceeds) else Kind.FIGURES


def _missing(market: Market, found: Reconciliation) -> Iterable[ReconciliationDifference]:
    """Trades that the books have, and no statement, although statements cover the whole time in which they were made.

    All statements of the market count, since an order may be at work while a period ends; orders only if they were at
    work in the period of the newest one. Near an end, by the market's clock, a trade may be in another statement.
    """
    for start, end in periods.covered(market):
        filled = TradeOrder.objects.filter(
            market=market, status=OrderStatus.FILLED, created_at__gte=start + holds.CLOCKS_DIFFER,
            answered_at__lte=end - holds.CLOCKS_DIFFER, answered_at__gte=found.period_from,
            created_at__lte=found.period_to,
        ).select_related("liquidation")  # fmt: skip
        named = StatementTrade.objects.filter(market=market).values("request_id")
        for order in filled.exclude(request_id__in=named).iterator():
            yield ReconciliationDifference(
                market=market, request_id=order.request_id, kind=Kind.MISSING, order=order,
                loan_id=order.liquidation.loan_id, number=order.number,
            )  # fmt: skip


def _open(found: Reconciliation, differences: Iterable[ReconciliationDifference], now: datetime) -> None:
    """Keep differences that are neither open nor explained already."""
    for difference in differences:
        known = ReconciliationDifference.objects.filter(market=difference.market, request_id=difference.request_id)
        figures = {"units": difference.units, "proceeds": difference.proceeds}
        explained = {"status": DifferenceStatus.EXPLAINED, "kind": difference.kind, **figures}
        if known.filter(status=DifferenceStatus.OPEN).exists() or known.filter(**explained).exists():
            continue
        difference.reconciliation, difference.found_at = found, now
        difference.save()
        log.error(
            "books_differ", difference=difference.pk, market=difference.market, kind=str(difference.kind),
            order_request_id=difference.request_id,
        )  # fmt: skip


def _look_again(market: Market, now: datetime) -> None:
    """Bring what is open up to date: figures stated since, orders booked since, statements that came since."""
    waiting = list(
        ReconciliationDifference.objects.select_for_update(of=("self",))
        .filter(market=market, status=DifferenceStatus.OPEN)
        .order_by("pk")
    )
    request_ids = {difference.request_id for difference in waiting}
    trades, now_differing = stated(market, request_ids), {}
    for differing in _differing(market, request_ids):
        now_differing[differing.request_id] = differing
    for difference in waiting:
        differing_now = now_differing.get(difference.request_id)
        if differing_now is not None:
            difference.kind, difference.order = differing_now.kind, differing_now.order
            difference.units, difference.proceeds = differing_now.units, differing_now.proceeds
            difference.traded_at = differing_now.traded_at
            if differing_now.order:
                difference.loan_id, difference.number = differing_now.loan_id, differing_now.number
        elif difference.request_id in trades:
            difference.status, difference.closed_at = DifferenceStatus.GONE, now
        difference.save()


def _attribute(market: Market) -> None:
    """Find the loans of open differences that have none yet. Takes a few seconds for a million loans."""
    unknown = ReconciliationDifference.objects.filter(
        market=market, status=DifferenceStatus.OPEN, kind=Kind.UNKNOWN, loan=None
    )
    left = set(unknown.values_list("request_id", flat=True))
    for ahead in _AHEAD:
        if not left:
            return
        found = list(
            attribute(left, _candidates(market), namespace=settings.INSTALLATION_NAMESPACE, market=market, ahead=ahead)
        )
        with transaction.atomic(), history.cause("attribute", correlation_id=str(market)):
            for one in found:
                unknown.filter(request_id=one.request_id).update(loan_id=one.key, number=one.number)
        left -= {one.request_id for one in found}
    for request_id in left:
        log.error("stated_trade_has_no_loan", market=market, order_request_id=request_id)


def _candidates(market: Market) -> Iterable[Candidate]:
    """All loans, with the number of the last order of each at the market."""
    last = dict(
        TradeOrder.objects.filter(market=market).order_by().values_list("liquidation__loan").annotate(Max("number"))
    )
    loans = Loan.objects.order_by().values_list("pk", "request_id", "loan_id")
    for key, application, loan_id in loans.iterator(chunk_size=_CHUNK):
        yield Candidate(key, application, loan_id, last.get(key, 0))
