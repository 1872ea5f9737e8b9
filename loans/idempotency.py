"""One request, one effect: an accepted request is stored with the body it was answered with.

Equal requests at once are serialized by what they change: the second of two postings finds its loan changed or locked
and reads again, and only one application can insert its loan. The database accepts a requestId only once
(`one_request_one_effect`); a transaction that it refuses is rolled back, and the first answer is looked up.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from coruscant.errors import DomainError
from coruscant.money import decimal_string
from loans.models import AcceptedRequest, Loan

#: For statements that read an accepted request among other things: the columns that `answer` takes of the row `first`,
#: and the condition for that row, with the parameters of `Request.key`.
COLUMNS = ("content_digest", "response_body")
IS_FIRST = "first.client = %(client)s AND first.endpoint = %(endpoint)s AND first.request_id = %(request_id)s"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What makes a request the same as another: where it came in, from whom, its id and its content."""

    endpoint: AcceptedRequest.Endpoint
    client: str
    request_id: str
    loan_id: str
    borrower_id: str
    amount: Decimal

    @property
    def content_digest(self) -> str:
        """SHA-256 of the known fields, normalised: `1.0` is the same amount as `1`."""
        content = json.dumps([self.loan_id, self.borrower_id, decimal_string(self.amount)])
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def key(self) -> dict[str, str]:
        """What a requestId is unique by: the parameters of `IS_FIRST`."""
        return {"client": self.client, "endpoint": self.endpoint.value, "request_id": self.request_id}


def replay(request: Request) -> Accepted | None:
    """The stored first answer of the same request; None if it has taken no effect yet.

    Raises RequestIdReused when the requestId was accepted with other content.
    """
    return answer(request, AcceptedRequest.objects.filter(**request.key).values_list(*COLUMNS).first())


def answer(request: Request, first: Sequence[Any] | None) -> Accepted | None:
    """The answer in these `COLUMNS`; None if they are null because there is no first request. Raises as `replay`."""
    if first is None or first[0] is None:
        return None
    content_digest, body = first
    if content_digest != request.content_digest:
        raise RequestIdReused("The same requestId was accepted before with other content.")
    return Accepted(body=body, replayed=True, loan_id=request.loan_id)


def store_response(request: Request, loan: Loan, body: str, now: datetime) -> None:
    """Store the answer in the transaction of its effect."""
    AcceptedRequest.objects.create(
        content_digest=request.content_digest, response_body=body, loan_id=loan.pk, created_at=now, **request.key
    )
