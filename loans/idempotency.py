"""One request, one effect: accepted requests are remembered with the body they were answered with."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self

from django.db import connection

from coruscant import audit
from coruscant.errors import DomainError
from coruscant.money import decimal_string
from loans.models import AcceptedRequest, Loan

_FIRST = (
    "SELECT first.content_digest, first.response_body, loan.loan_id FROM loans_acceptedrequest first"
    " JOIN loans_loan loan ON loan.id = first.loan_id"
    " WHERE first.client = %s AND first.endpoint = %s AND first.request_id = %s"
)


class RequestIdReused(DomainError):
    """The requestId came before, with other content."""

    code = "request-id-reused"
    title = "requestId was used for another request"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to an accepted request: its JSON body, and whether it is a replay of the first answer."""

    body: str
    replayed: bool
    loan_id: str


@dataclass(frozen=True, slots=True)
class Request:
    """What makes a request the same as another: where it came in, from whom, its id and its content."""

    endpoint: AcceptedRequest.Endpoint
    client: str
    request_id: str
    content_digest: str

    @classmethod
    def of(
        cls,
        endpoint: AcceptedRequest.Endpoint,
        client: str,
        request_id: str,
        loan_id: str,
        borrower_id: str,
        amount: Decimal,
    ) -> Self:
        """A request with its known fields, normalised: `1.0` is the same amount as `1`."""
        content = json.dumps([loan_id, borrower_id, decimal_string(amount)])
        return cls(endpoint, client, request_id, hashlib.sha256(content.encode()).hexdigest())


def lock(request: Request) -> None:
    """Hold the request's advisory lock until the transaction ends, so that equal requests run one by one."""
    name = json.dumps([request.endpoint, request.client, request.request_id])
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def replay(request: Request) -> Accepted | None:
    """The stored first answer of the same request; None if it never took effect. The caller holds its lock.

    Raises RequestIdReused when the requestId was accepted with other content.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIRST, [request.client, request.endpoint.value, request.request_id])
        first = cursor.fetchone()
    if first is None:
        return None
    content_digest, body, loan_id = first
    if content_digest != request.content_digest:
        raise RequestIdReused("The same requestId was accepted before with other content.")
    return Accepted(body=body, replayed=True, loan_id=loan_id)


def remember(request: Request, loan: Loan, body: str, now: datetime) -> None:
    """Store the answer beside its effect, in the same transaction."""
    audit.add(
        AcceptedRequest(
            client=request.client,
            endpoint=request.endpoint,
            request_id=request.request_id,
            content_digest=request.content_digest,
            response_body=body,
            loan=loan,
            created_at=now,
        )
    )
