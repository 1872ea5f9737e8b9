"""The writers of loans: one function a verb.

Locks are always taken in this order: the loan's row, the activation barrier, a requestId by its insertion. Transactions
are short and touch nothing but the database. Prices are in GC a unit, collateral in units, balances in GC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from coruscant import clock, failpoints, money, rows
from coruscant.errors import DomainError
from coruscant.history import audit
from coruscant.money import ZERO
from loans import idempotency, risk
from loans.idempotency import Accepted, Request
from loans.models import AcceptedRequest, CollateralPosting, Loan, LoanStatus, MarginCall
from loans.representation import loan_body
from loans.risk import Thresholds
from pricing import best_price
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

#: Key of the activation barrier: an advisory lock in the space of two 32-bit keys, which nothing else here uses.
_ACTIVATION_BARRIER = (0x4C4F414E, 1)

_LOCK = "SELECT status FROM loans_loan WHERE loan_id = %s FOR UPDATE"
_LOAN, _WARNING = rows.names(Loan), rows.names(MarginCall)
# What a posting depends on besides the price: the first answer of the same request, the loan, and its margin call.
_SEEN = f"""
    SELECT {rows.columns(AcceptedRequest, idempotency.COLUMNS, "first")},
           {rows.columns(Loan, _LOAN, "loan", "loan_")}, {rows.columns(MarginCall, _WARNING, "warning", "warning_")}
    FROM (SELECT %(loan_id)s::text AS loan_id) AS asked
    LEFT JOIN loans_acceptedrequest first ON {idempotency.IS_FIRST}
    LEFT JOIN loans_loan loan ON loan.loan_id = asked.loan_id
    LEFT JOIN loans_margincall warning ON warning.loan_id = loan.id AND warning.closed_at IS NULL
"""  # noqa: S608
_MARGIN_CALL = "SELECT FROM loans_margincall WHERE loan_id = loans_loan.id AND closed_at IS NULL"
_BEGIN_LIQUIDATION = "UPDATE loans_loan SET status = 'liquidating' WHERE id = ANY(%(loans)s) AND status = 'active'"
_CLOSE_MARGIN_CALLS = (
    "UPDATE loans_margincall SET closed_at = %(now)s, close_reason = %(reason)s, cleared_to = %(cleared_to)s"
    " WHERE id = ANY(%(warnings)s)"
)


class LoanNotFound(DomainError):
    """There is no loan of this loanId."""

    code = "loan-not-found"
    title = "Unknown loan"
    status: ClassVar[int] = 404


class LoanIdTaken(DomainError):
    """Another request has already used this loanId."""

    code = "loan-id-taken"
    title = "loanId is already used"
    status: ClassVar[int] = 409


class NotTheBorrower(DomainError):
    """The borrowerId of a posting does not own the loan."""

    code = "not-the-borrower"
    title = "The borrower does not own this loan"
    status: ClassVar[int] = 422


class LoanClosed(DomainError):
    """Collateral was posted for a loan that is liquidating or liquidated."""

    code = "loan-closed"
    title = "The loan takes no more collateral"
    status: ClassVar[int] = 409


class CollateralTooLarge(DomainError):
    """A posting would bring the collateral above what can be stored."""

    code = "collateral-too-large"
    title = "Too much collateral"
    status: ClassVar[int] = 422


class IllegalTransition(RuntimeError):
    """A caller asked for a step that the loan's present state does not allow: a programming error."""


def thresholds() -> Thresholds:
    """The LTVs of the rules, from the settings."""
    return Thresholds(
        activation_ltv=settings.ACTIVATION_LTV,
        margin_call_ltv=settings.WARNING_LTV,
        margin_call_clear_ltv=settings.WARNING_CLEAR_LTV,
        liquidation_ltv=settings.LIQUIDATION_LTV,
    )


def apply_for_loan(*, client: str, request_id: str, loan_id: str, borrower_id: str, amount: Decimal) -> Accepted:
    """Open a new loan of `amount` GC, without collateral.

    Idempotent by (client, request_id): the same content again returns the stored first body. Raises
    RequestIdReused and LoanIdTaken; then nothing is written. An equal request, or one for the same loanId, that is
    under way is waited for.
    """
    request = Request.of(AcceptedRequest.Endpoint.LOAN_APPLICATIONS, client, request_id, loan_id, borrower_id, amount)
    point = best_price.current()
    try:
        with transaction.atomic(), audit.cause("application", correlation_id=request_id):
            if found := idempotency.replay(request):
                return found
            failpoints.reach("application.looked")
            loan = Loan(
                loan_id=loan_id,
                borrower_id=borrower_id,
                amount=amount,
                outstanding_balance=amount,
                request_id=request_id,
                created_at=clock.now(),
            )
            audit.create(loan)
            body = loan_body(loan, None, point.price, thresholds())
            idempotency.store_response(request, loan, body, loan.created_at)
            failpoints.reach("application.written")
    except IntegrityError:
        if found := idempotency.replay(request):
            return found
        if Loan.objects.filter(loan_id=loan_id).exists():
            raise LoanIdTaken("Another request has already used this loanId.") from None
        raise
    failpoints.reach("application.committed")
    log.info("loan_applied_for", request_id=request_id, loan_id=loan_id)
    return Accepted(body=body, replayed=False, loan_id=loan_id)


def post_collateral(*, client: str, request_id: str, loan_id: str, borrower_id: str, amount: Decimal) -> Accepted:
    """Add `amount` units to a loan's collateral; a new loan that is now covered becomes active.

    Idempotent by (client, request_id), as applications are. Raises RequestIdReused, LoanNotFound, NotTheBorrower,
    LoanClosed and CollateralTooLarge; then nothing is written. The price is read from the database, so no cache can
    make it fail. An active loan without a margin call is posted to in one statement, which locks it. For any other,
    and if that loan changes meanwhile, the loan is locked first, and for a new one the activation barrier (shared).
    Call it outside any transaction.
    """
    request = Request.of(AcceptedRequest.Endpoint.COLLATERAL_TOP_UPS, client, request_id, loan_id, borrower_id, amount)
    try:
        with audit.cause("posting", correlation_id=request_id):
            return _post_at_once(request, borrower_id, amount) or _post_under_lock(request, borrower_id, amount)
    except IntegrityError:  # the requestId may have been accepted meanwhile, for another loan: then this refuses it
        if found := idempotency.replay(request):
            return found
        raise


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a posting depends on, all as of one instant: `now`."""

    point: PricePoint
    answered: Accepted | None
    loan: Loan | None
    warning: MarginCall | None
    now: datetime


def _post_at_once(request: Request, borrower_id: str, amount: Decimal) -> Accepted | None:
    """Post to an active loan without a margin call, not locked until it is written; None if it is not to be done so.

    Nothing is written unless the loan is as it was seen and nobody holds it: a claim, a margin call, another posting or
    an equal one may come between (decisions/0022).
    """
    seen = _look(request)
    if seen.answered:
        return seen.answered
    failpoints.reach("posting.seen")
    loan = _open_loan(seen.loan, borrower_id)
    if loan.status != LoanStatus.ACTIVE or seen.warning:
        return None
    expected = {"status": loan.status, "collateral": loan.collateral}
    _add_collateral(loan, amount)
    try:
        with audit.together():
            audit.save_if_still(loan, expected, "collateral", unless=_MARGIN_CALL)
            accepted = _remember(request, loan, None, amount, seen)
    except audit.Overtaken:
        return None
    failpoints.reach("posting.committed_at_once")
    return _posted(request, loan, accepted)


def _post_under_lock(request: Request, borrower_id: str, amount: Decimal) -> Accepted:
    """Post to any loan that takes collateral, locked before it is looked at."""
    with transaction.atomic():
        if _lock(request.loan_id) == LoanStatus.NEW:
            hold_activation()
        seen = _look(request)
        if seen.answered:
            return seen.answered
        loan = _open_loan(seen.loan, borrower_id)
        failpoints.reach("posting.locked")
        _add_collateral(loan, amount)
        activated = _activate_if_covered(loan, seen.point, seen.now)
        with audit.together():
            audit.save(loan, "collateral", *(("status", "activated_at", "prices_apply_from") if activated else ()))
            warning = _close_if_cleared(seen.warning, loan, seen.point, seen.now)
            accepted = _remember(request, loan, warning, amount, seen)
        failpoints.reach("posting.written")
    failpoints.reach("posting.committed")
    return _posted(request, loan, accepted)


def _remember(request: Request, loan: Loan, warning: MarginCall | None, amount: Decimal, seen: _Seen) -> Accepted:
    """Write the posting and the answer to it."""
    audit.create(CollateralPosting(loan_id=loan.pk, amount=amount, request_id=request.request_id, created_at=seen.now))
    body = loan_body(loan, warning, seen.point.price, thresholds())
    idempotency.store_response(request, loan, body, seen.now)
    return Accepted(body=body, replayed=False, loan_id=loan.loan_id)


def _posted(request: Request, loan: Loan, accepted: Accepted) -> Accepted:
    """Tell of a posting that is committed."""
    log.info("collateral_posted", request_id=request.request_id, loan_id=loan.loan_id, status=str(loan.status))
    return accepted


def _lock(loan_id: str) -> str:
    """Lock the row of a loan that is there, as loans are for ever; returns its status."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [loan_id])
        (status,) = cursor.fetchone()
    return str(status)


def _look(request: Request) -> _Seen:
    """What a posting depends on. Raises RequestIdReused."""
    point, seen = best_price.current_with_row(_SEEN, {"loan_id": request.loan_id, **request.key})
    first, loan, warning = rows.parts(seen, idempotency.COLUMNS, _LOAN, _WARNING)
    return _Seen(
        point=point,
        answered=idempotency.answer(request, first),
        loan=rows.row(Loan, _LOAN, loan) if loan[0] else None,
        warning=rows.row(MarginCall, _WARNING, warning) if warning[0] else None,
        now=point.until or clock.now(),  # (the instant of that look)
    )


def _open_loan(loan: Loan | None, borrower_id: str) -> Loan:
    """The loan that a posting is for, if it may be posted to."""
    if loan is None:
        raise LoanNotFound("There is no loan of this loanId.")
    if loan.borrower_id != borrower_id:
        raise NotTheBorrower("The loan belongs to another borrower.")
    if loan.status not in {LoanStatus.NEW, LoanStatus.ACTIVE}:
        raise LoanClosed(f"The loan is {loan.status}: it takes no more collateral.")
    return loan


def _add_collateral(loan: Loan, amount: Decimal) -> None:
    with money.exact():
        collateral = loan.collateral + amount
    if not money.fits(collateral):
        raise CollateralTooLarge(f"The collateral would exceed {money.MAX_INTEGER_DIGITS} integer digits.")
    loan.collateral = collateral


def _activate_if_covered(loan: Loan, point: PricePoint, now: datetime) -> bool:
    """Make a new loan active if its collateral is complete; returns whether it was."""
    if loan.status != LoanStatus.NEW or point.price is None:
        return False
    if not risk.may_activate(loan.outstanding_balance, loan.collateral, point.price, thresholds()):
        return False
    loan.status = LoanStatus.ACTIVE
    loan.activated_at = now
    # Not where the price began: what was over before the loan was active is none of its business.
    loan.prices_apply_from = point.until or point.at
    return True


def _close_if_cleared(warning: MarginCall | None, loan: Loan, point: PricePoint, now: datetime) -> MarginCall | None:
    """Close the loan's open margin call if LTV is now below the clearing threshold; return it if it stays open."""
    if warning is None or point.price is None:
        return warning
    if not risk.may_clear(loan.outstanding_balance, loan.collateral, point.price, thresholds()):
        return warning
    warning.closed_at = now
    warning.close_reason = MarginCall.CloseReason.CLEARED
    warning.cleared_to = point.applies_before
    audit.save(warning, "closed_at", "close_reason", "cleared_to")
    return None


def hold_activation() -> None:
    """Announce, until this transaction ends, that it may activate a loan by the price it reads from now on.

    A shared advisory lock. Take it after the loan's row and before reading the price, and wait for no lock after
    it but for the requestId, whose holder waits for nothing: so a sweep that waits in `wait_for_activations` is never
    part of a deadlock.
    """
    _require_transaction()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", _ACTIVATION_BARRIER)


def wait_for_activations() -> None:
    """Return when every posting that may have read an older price has committed or given up.

    The exclusive side of the barrier, held for this one statement. An evaluation calls it after it has seen which
    quotes are unevaluated and before it looks for loans: later postings read a price that includes those quotes. Call
    it outside any transaction, which would hold it to its end.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", _ACTIVATION_BARRIER)


def begin_liquidation(loan_ids: Sequence[int], now: datetime) -> None:
    """Move active loans (primary keys, their rows locked by the caller) to `liquidating`, in bulk.

    Their open margin calls are closed as claimed. Everything is written with history, in the caller's transaction
    and cause. Raises IllegalTransition if one of the loans is not active.
    """
    _require_transaction()
    keys = sorted(set(loan_ids))
    changed = len(audit.write_recorded(Loan, _BEGIN_LIQUIDATION, {"loans": keys}, audit.CHANGED))
    if changed != len(keys):
        raise IllegalTransition(f"{len(keys) - changed} of {len(keys)} loans to be liquidated are not active")
    warnings = list(MarginCall.objects.filter(loan_id__in=keys, closed_at__isnull=True).values_list("pk", flat=True))
    if warnings:
        close_margin_calls(warnings, MarginCall.CloseReason.CLAIMED, now)


def close_margin_calls(
    margin_call_ids: Sequence[int],
    reason: MarginCall.CloseReason,
    now: datetime,
    *,
    cleared_to: datetime | None = None,
) -> None:
    """Close open margin calls (primary keys) in bulk with history; the caller holds their loans' rows.

    `cleared_to` is the end of the price that cleared them: no price that ended by then opens another one.
    """
    closing = {"warnings": list(margin_call_ids), "reason": reason.value, "now": now, "cleared_to": cleared_to}
    audit.write_recorded(MarginCall, _CLOSE_MARGIN_CALLS, closing, audit.CHANGED)


def book_sale(loan: Loan, units: Decimal, proceeds: Decimal, *, smallest_sale: Decimal) -> bool:
    """Lower a liquidating loan's collateral by the `units` sold and its balance by the `proceeds` in GC, not below 0.

    If that covers the balance, or leaves less than `smallest_sale` units, the loan becomes `liquidated` in the same
    write. Returns whether it did. The caller has locked the row, in its transaction and cause. Raises
    IllegalTransition if the loan is not being liquidated, if there are not that many units, or if a figure is
    negative.
    """
    _require_liquidating(loan)
    if not 0 <= units <= loan.collateral or proceeds < 0:
        raise IllegalTransition(f"cannot book {units} units for {proceeds} GC on loan {loan.loan_id}")
    with money.exact():
        loan.collateral -= units
        loan.outstanding_balance = max(ZERO, loan.outstanding_balance - proceeds)
    done = sale_is_done(loan, smallest_sale)
    if done:
        loan.status = LoanStatus.LIQUIDATED
    audit.save(loan, "collateral", "outstanding_balance", "status")
    return done


def sale_is_done(loan: Loan, smallest_sale: Decimal) -> bool:
    """Whether nothing is owed any more, or less than `smallest_sale` units are left to sell."""
    return loan.outstanding_balance == 0 or loan.collateral < smallest_sale


def finish_liquidation(loan: Loan) -> None:
    """Move a liquidating loan, locked by the caller in its transaction and cause, to `liquidated`.

    Raises IllegalTransition if it is not being liquidated.
    """
    _require_liquidating(loan)
    loan.status = LoanStatus.LIQUIDATED
    audit.save(loan, "status")


def _require_liquidating(loan: Loan) -> None:
    _require_transaction()
    if loan.status != LoanStatus.LIQUIDATING:
        raise IllegalTransition(f"loan {loan.loan_id} is {loan.status}, not liquidating")


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise IllegalTransition("must be called inside a transaction")
