"""After a restore: everything that it may concern is held, and refusals of its orders prove nothing any more."""

from datetime import datetime
from typing import ClassVar

import structlog
from django.db import transaction
from django.db.models import F, Max, Q

from coruscant import clock, enqueue, failpoints, history, locks
from coruscant.errors import DomainError
from coruscant.restores import identity
from coruscant.restores.models import Restore
from liquidation import chains
from liquidation.models import PENDING_ORDER_STATUSES, Liquidation, LiquidationStatus, TradeOrder
from pricing.models import PriceQuote

log = structlog.get_logger(__name__)

#: More fences than a sale can have had since the instant it went back to: none of a surviving worker's comes again.
FENCES_LOST = 1_000_000


class NothingReplaced(DomainError):
    """The database is the accepted one, and nobody has insisted that it was restored."""

    code = "nothing-replaced"
    title = "The database is the accepted one"
    status: ClassVar[int] = 409


class SinceInTheFuture(DomainError):
    """A restore cannot go back to an instant that has not come."""

    code = "since-in-the-future"
    title = "A restore goes back to the past"
    status: ClassVar[int] = 422


class NotHeld(DomainError):
    """Somebody released what no restore holds, or no longer."""

    code = "not-held"
    title = "Nothing is held there"
    status: ClassVar[int] = 409


def begin(*, since: datetime, by: str, reason: str = "", insist: bool = False) -> Restore:
    """Accept the database as the bank's books, which may lack what was committed after `since`, or after its last
    evaluation if that is earlier: while the database is not the accepted one, there is none.

    In one transaction: claims are held; every sale that is not settled, and every event that is not sent, is held; no
    refusal proves anything of a pending order any more. If a restore is under way that was not compared yet, it is
    extended: so repeating this is safe. `insist`: the database seems to be the accepted one, and was restored
    nevertheless. Raises NothingReplaced, SinceInTheFuture.
    Locks: reconciliations, evaluations, liquidations, orders.
    """
    with (
        history.acting_as(by, None),
        transaction.atomic(durable=True),
        history.cause("after restore", correlation_id=since.isoformat()),
    ):
        locks.exclusive(locks.RECONCILIATION)
        locks.exclusive(locks.EVALUATION)
        if since > clock.now():
            raise SinceInTheFuture(f"{since.isoformat()} has not come yet.")
        if identity.objection():
            since = min(since, _last_evaluation() or since)
        elif not insist:
            raise NothingReplaced("The database is the accepted one: nothing is held because of it.")
        accepted = identity.accept(by)
        concerned = Liquidation.objects.filter(
            ~Q(status=LiquidationStatus.SETTLED) | Q(event__sent_at__isnull=True)
        ).order_by("pk")
        list(concerned.select_for_update(of=("self",)).values_list("pk"))
        # Only now: a send that was counted after `begun_at` need not show in the statements that are asked for.
        restore = _begun(since, by, reason, clock.now())
        held = Liquidation.objects.filter(pk__in=concerned.order_by().values("pk")).update(
            held_by=restore, orders_may_be_missing=True, fence=F("fence") + FENCES_LOST
        )
        orders = TradeOrder.objects.filter(status__in=PENDING_ORDER_STATUSES).update(refusals_prove_nothing=True)
        failpoints.reach("restore.written")
    failpoints.reach("restore.committed")
    log.error(
        "restore_begun", restore=restore.pk, since=restore.since.isoformat(), database=str(accepted), sales_held=held,
        orders=orders, actor=by, reason=reason,
    )  # fmt: skip
    return restore


def nothing_was_lost(*, by: str) -> None:
    """Accept the database without holding anything: a planned move, which has lost no commit.

    To be agreed by two people, as everything that releases. Call it inside a transaction or outside. Raises
    NothingReplaced.
    """
    with transaction.atomic():
        locks.exclusive(locks.EVALUATION)
        if not identity.objection():
            raise NothingReplaced("The database is the accepted one already.")
        accepted = identity.accept(by)
    log.warning("database_accepted", database=str(accepted), actor=by)


def release_claims(restore_id: int, *, by: str) -> Restore:
    """Let prices claim again from now on: the OTC service has repeated its requests, or never will.

    To be agreed by two people. Sales of such claims are held until the restore is compared. Raises NotHeld. Locks:
    evaluations, then the restore.
    """
    with history.cause("release claims", correlation_id=f"restore-{restore_id}"):
        locks.exclusive(locks.EVALUATION)
        restore = Restore.objects.select_for_update().filter(pk=restore_id, claims_released_at__isnull=True).first()
        if restore is None:
            raise NotHeld(f"No claims are held by restore {restore_id}.")
        restore.claims_released_at, restore.claims_released_by = clock.now(), by
        restore.save(update_fields=["claims_released_at", "claims_released_by"])
    log.warning("claims_released", restore=restore_id, actor=by)
    return restore


def release_sale(liquidation_id: int, *, by: str) -> None:
    """Let one sale, or its event, go on although no statement shows what the markets traded for it.

    To be agreed by two people. Its coming orders may have the ids of lost ones, so refusals of them prove nothing.
    Raises NotHeld. Locks: the liquidation.
    """
    with history.cause("release sale", correlation_id=f"liquidation-{liquidation_id}"):
        sale = Liquidation.objects.select_for_update().filter(pk=liquidation_id, held_by__isnull=False).first()
        if sale is None:
            raise NotHeld(f"Liquidation {liquidation_id} is not held.")
        restore_id, sale.held_by, sale.due_at = sale.held_by_id, None, clock.now()
        sale.save(update_fields=["held_by", "due_at"])
        enqueue.on_commit(chains.sale(liquidation_id))
    log.warning("sale_released", liquidation_id=liquidation_id, restore=restore_id, actor=by)


def _last_evaluation() -> datetime | None:
    """The last instant that these books have certainly seen, whatever a person believes.

    A quote that came too late is marked when it is received, also by books that nobody has accepted yet.
    """
    return PriceQuote.objects.filter(too_late=False).aggregate(last=Max("evaluated_at"))["last"]  # type: ignore[no-any-return]


def _begun(since: datetime, by: str, reason: str, now: datetime) -> Restore:
    restore = Restore.objects.select_for_update().filter(compared_at__isnull=True).first()
    if restore is None:
        return Restore.objects.create(since=since, reason=reason, begun_at=now, begun_by=by)
    restore.since, restore.begun_at, restore.begun_by = min(since, restore.since), now, by
    restore.reason = "; ".join(text for text in dict.fromkeys((restore.reason, reason)) if text)
    restore.claims_released_at, restore.claims_released_by = None, ""
    restore.save()
    return restore
