"""Applying for a loan."""

from decimal import Decimal
from typing import ClassVar

import structlog
from django.db import IntegrityError

from coruscant import failpoints, history
from coruscant.errors import DomainError
from loans import idempotency, terms
from loans.events.models import LoanEventType
from loans.events.write import write_events
from loans.idempotency import Accepted, Request
from loans.models import AcceptedRequest, Loan
from loans.representation import loan_body
from pricing import best_price

log = structlog.get_logger(__name__)


class LoanIdTaken(DomainError):
    """Another request has already used this loanId."""

    code = "loan-id-taken"
    title = "loanId is already used"
    status: ClassVar[int] = 409


def apply_for_loan(*, client: str, request_id: str, loan_id: str, borrower_id: str, amount: Decimal) -> Accepted:
    """Open a new loan of `amount` GC, without collateral, under the terms that are valid now.

    Idempotent by (client, request_id): the same content again returns the stored first body. Raises RequestIdReused
    and LoanIdTaken; then nothing is written. Waits for an equal request, or one for the same loanId, that has not
    committed yet, or for new terms that are being made. Call it outside any transaction.
    """
    request = Request(
        endpoint=AcceptedRequest.Endpoint.LOAN_APPLICATIONS, client=client, request_id=request_id,
        loan_id=loan_id, borrower_id=borrower_id, amount=amount,
    )  # fmt: skip
    point = best_price.current()
    try:
        with history.cause("application", correlation_id=request_id):
            if found := idempotency.replay(request):
                return found
            failpoints.reach("application.looked")
            valid, now = terms.for_a_new_loan()
            loan = Loan.objects.create(
                loan_id=loan_id, borrower_id=borrower_id, amount=amount, outstanding_balance=amount, terms=valid,
                request_id=request_id, created_at=now,
            )  # fmt: skip
            body = loan_body(loan, None, point)
            idempotency.store_response(request, loan, body, loan.created_at)
            write_events(LoanEventType.APPLICATION, [loan.pk], point.price, loan.created_at)
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
