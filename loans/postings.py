"""Posting collateral.

Most postings are for an active loan without a margin call: units are added, and the price decides nothing. Such a
posting is one SELECT and one statement that writes (docs/decisions/0022). Every other one locks its loan first.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.db import IntegrityError, connection

from coruscant import clock, failpoints, history, money
from coruscant.errors import DomainError
from coruscant.history.cause import COLUMNS as CAUSE
from coruscant.history.cause import cause_of
from loans import activation, idempotency, margin_calls
from loans.clients import scopes
from loans.events.models import LoanEventType
from loans.events.write import write_events
from loans.idempotency import Accepted, Request
from loans.models import AcceptedRequest, CollateralPosting, Loan, LoanStatus, LoanTerms
from loans.representation import loan_body
from loans.selectors import NO_SUCH_LOAN, LoanNotFound
from pricing import best_price
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

_COLUMNS = tuple(field.attname for field in Loan._meta.concrete_fields)
_TERMS = tuple(field.attname for field in LoanTerms._meta.concrete_fields)
# Whether a posting may be written at once: the first answer to the same request, the loan with its terms, its open
# margin call.
_SEEN = f"""
    SELECT {", ".join(f"first.{column}" for column in idempotency.COLUMNS)}, margin_call.id, {
    ", ".join([*(f"terms.{column}" for column in _TERMS), *(f"loan.{column}" for column in _COLUMNS)])
}
    FROM (SELECT %(loan_id)s::text AS loan_id) AS asked
    LEFT JOIN loans_acceptedrequest first ON {idempotency.IS_FIRST}
    LEFT JOIN loans_loan loan ON loan.loan_id = asked.loan_id
    LEFT JOIN loans_loanterms terms ON terms.version = loan.terms_id
    LEFT JOIN loans_margincall margin_call ON margin_call.loan_id = loan.id AND margin_call.closed_at IS NULL
"""  # noqa: S608
# Nothing is written if the loan is locked or has changed since it was read: by a claim, a margin call, a posting,
# perhaps an equal one, or a change of its terms. The cause is set by the statement that locks the row.
_WRITE = f"""
    WITH unchanged AS MATERIALIZED (
        SELECT id, {CAUSE} FROM loans_loan
        WHERE id = %(loan)s AND status = 'active' AND collateral = %(seen)s AND terms_id = %(terms)s AND NOT EXISTS (
            SELECT FROM loans_margincall WHERE loan_id = loans_loan.id AND closed_at IS NULL)
        FOR UPDATE SKIP LOCKED
    ), changed AS (
        UPDATE loans_loan SET collateral = %(collateral)s FROM unchanged WHERE loans_loan.id = unchanged.id
        RETURNING loans_loan.id
    ), posted AS (
        INSERT INTO loans_collateralposting (loan_id, amount, request_id, created_at)
        SELECT id, %(amount)s, %(request_id)s, %(now)s FROM changed
    )
    INSERT INTO loans_acceptedrequest
        (client, endpoint, request_id, content_digest, response_body, loan_id, created_at)
    SELECT %(client)s, %(endpoint)s, %(request_id)s, %(content_digest)s, %(body)s, id, %(now)s FROM changed
"""  # noqa: S608


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


class PostingNeedsTwo(DomainError):
    """One person alone posted much collateral by hand, and the bank wants two (`FOUR_EYES`)."""

    code = "posting-needs-two-people"
    title = "A posting by hand of so many units needs a second person"
    status: ClassVar[int] = 403


class CollateralTooLarge(DomainError):
    """A posting would bring the collateral above what can be stored."""

    code = "collateral-too-large"
    title = "Too much collateral"
    status: ClassVar[int] = 422


def post_collateral(*, client: str, request_id: str, loan_id: str, borrower_id: str, amount: Decimal) -> Accepted:
    """Add `amount` units to a loan's collateral; a new loan that is now covered becomes active.

    Idempotent by (client, request_id), as applications are. Raises RequestIdReused, LoanNotFound, NotTheBorrower,
    LoanClosed and CollateralTooLarge; then nothing is written. The price is read from the database, so no cache can
    make it fail. Locks: the loan, and for a new one the activation barrier (shared). Call it outside any transaction.
    """
    request = _request(client, request_id, loan_id, borrower_id, amount)
    try:
        accepted = _post_at_once(request, borrower_id, amount) or _post_under_lock(request, borrower_id, amount)
    except IntegrityError:  # the requestId may have been accepted meanwhile, for another loan
        if found := idempotency.replay(request):
            return found
        raise
    if not accepted.replayed:
        log.info("collateral_posted", request_id=request_id, loan_id=loan_id)
    return accepted


def post_to_own_loan(*, client: str, loan_id: str, **sent: Any) -> Accepted:
    """As `post_collateral`, but a loan that the client has not opened is as one that there is not: LoanNotFound.

    What the client was answered once it is answered again, even if its scope was wider then.
    """
    if not scopes.opened_by(client, Loan.objects.filter(loan_id=loan_id)).exists():
        if found := idempotency.replay(_request(client=client, loan_id=loan_id, **sent)):
            return found
        raise LoanNotFound(NO_SUCH_LOAN)
    return post_collateral(client=client, loan_id=loan_id, **sent)


def post_by_hand(*, client: str, amount: Decimal, **sent: Any) -> Accepted:
    """As `post_collateral`, for a person of the bank alone, who may not post much. Raises PostingNeedsTwo, too."""
    if settings.FOUR_EYES and amount > settings.FOUR_EYES_POSTING_UNITS:
        if found := idempotency.replay(_request(client=client, amount=amount, **sent)):
            return found
        limit = money.decimal_string(settings.FOUR_EYES_POSTING_UNITS)
        raise PostingNeedsTwo(f"Above {limit} units a second person must agree: ask for it in the admin.")
    return post_collateral(client=client, amount=amount, **sent)


def post_within_transaction(
    *, client: str, request_id: str, loan_id: str, borrower_id: str, amount: Decimal
) -> Accepted:
    """As `post_collateral`, but in the transaction that is open, which takes effect with it. Locks and raises alike.

    Raises IntegrityError, too, if the requestId is accepted at the same moment for another loan.
    """
    return _post_under_lock(_request(client, request_id, loan_id, borrower_id, amount), borrower_id, amount)


def _request(client: str, request_id: str, loan_id: str, borrower_id: str, amount: Decimal) -> Request:
    return Request(
        endpoint=AcceptedRequest.Endpoint.COLLATERAL_TOP_UPS, client=client, request_id=request_id,
        loan_id=loan_id, borrower_id=borrower_id, amount=amount,
    )  # fmt: skip


def _post_under_lock(request: Request, borrower_id: str, amount: Decimal) -> Accepted:
    """Post to any loan that takes collateral, under its lock."""
    with history.cause("posting", correlation_id=request.request_id):
        locked = Loan.objects.select_for_update().filter(loan_id=request.loan_id).first()
        if locked and locked.status == LoanStatus.NEW:
            activation.hold()
        if found := idempotency.replay(request):
            return found
        loan = that_takes_collateral(locked, borrower_id)
        point = best_price.current_uncached()
        now = point.until or clock.now()
        failpoints.reach("posting.locked")
        loan.collateral = _with_more(loan, amount)
        activated = activation.activate_if_covered(loan, point.cautious, now)
        loan.save(update_fields=["collateral", *(activation.FIELDS if activated else ())])
        if activated:
            write_events(LoanEventType.ACTIVATION, [loan.pk], point.cautious.price, now)
        margin_call = margin_calls.close_if_cleared(loan, point.cautious, now)
        CollateralPosting.objects.create(loan=loan, amount=amount, request_id=request.request_id, created_at=now)
        body = loan_body(loan, margin_call, point)
        idempotency.store_response(request, loan, body, now)
        failpoints.reach("posting.written")
    failpoints.reach("posting.committed")
    return Accepted(body=body, replayed=False, loan_id=loan.loan_id)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a posting depends on, as of one instant: `now`."""

    point: PricePoint
    answered: Accepted | None
    loan: Loan | None
    has_margin_call: bool
    now: datetime


def _post_at_once(request: Request, borrower_id: str, amount: Decimal) -> Accepted | None:
    """Post to an active loan without a margin call in one statement; None if it must be done under its lock."""
    seen = _look(request)
    if seen.answered:
        return seen.answered
    failpoints.reach("posting.seen")
    loan = that_takes_collateral(seen.loan, borrower_id)
    if loan.status != LoanStatus.ACTIVE or seen.has_margin_call:
        return None
    before, loan.collateral = loan.collateral, _with_more(loan, amount)
    body = loan_body(loan, None, seen.point)
    writing: dict[str, Any] = {
        "loan": loan.pk, "seen": before, "terms": loan.terms_id, "collateral": loan.collateral, "amount": amount,
        "now": seen.now, "body": body, "content_digest": request.content_digest, **request.key,
        **cause_of("posting", request.request_id).parameters,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, writing)
        written = cursor.rowcount
    if not written:
        return None
    failpoints.reach("posting.committed_at_once")
    return Accepted(body=body, replayed=False, loan_id=loan.loan_id)


def _look(request: Request) -> _Seen:
    """What a posting depends on. Raises RequestIdReused."""
    point, row = best_price.current_with_row(_SEEN, {"loan_id": request.loan_id, **request.key})
    content_digest, response_body, margin_call, *columns = row
    loan = None
    if columns[0]:
        loan = Loan.from_db("default", _COLUMNS, columns[len(_TERMS) :])
        loan.terms = LoanTerms.from_db("default", _TERMS, columns[: len(_TERMS)])
    return _Seen(
        point=point,
        answered=idempotency.answer(request, (content_digest, response_body)),
        loan=loan,
        has_margin_call=margin_call is not None,
        now=point.until or clock.now(),  # when it was read
    )


def that_takes_collateral(loan: Loan | None, borrower_id: str) -> Loan:
    """The loan, if this borrower may post to it. Raises LoanNotFound, NotTheBorrower and LoanClosed."""
    if loan is None:
        raise LoanNotFound(NO_SUCH_LOAN)
    if loan.borrower_id != borrower_id:
        raise NotTheBorrower("The loan belongs to another borrower.")
    if loan.status not in {LoanStatus.NEW, LoanStatus.ACTIVE}:
        raise LoanClosed(f"The loan is {loan.status}: it takes no more collateral.")
    return loan


def _with_more(loan: Loan, amount: Decimal) -> Decimal:
    """The loan's collateral with `amount` units more. Raises CollateralTooLarge."""
    with money.exact():
        collateral = loan.collateral + amount
    if not money.fits(collateral):
        raise CollateralTooLarge(f"The collateral would exceed {money.MAX_INTEGER_DIGITS} integer digits.")
    return collateral
