"""Which loan an order belongs to that the books do not know: the one whose computed ids include its requestId. Pure.

A million loans take a few seconds, so a part of each id is compared before the id itself is made.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from coruscant import ids

#: The first bytes of a UUID, those before its version, are the first of its hash.
_COMPARED = 6


@dataclass(frozen=True, slots=True)
class Candidate:
    """A loan, with the number of its last order at the market; 0 if the books know of none."""

    key: int
    application: str
    loan_id: str
    last: int = 0


@dataclass(frozen=True, slots=True)
class Attributed:
    """An unknown order is this loan's `number`th at the market."""

    request_id: str
    key: int
    number: int


def attribute(
    request_ids: Collection[str], candidates: Iterable[Candidate], *, namespace: UUID, market: str, ahead: int
) -> Iterator[Attributed]:
    """Find the loans of orders at a market, as far as `ahead` numbers beyond a loan's last known or found one."""
    wanted = {first: text for text in request_ids if (first := _first_bytes(text)) is not None}
    for loan in candidates:
        text = json.dumps(["order", loan.application, loan.loan_id, market])[:-1] + ", "
        of_loan = hashlib.sha1(namespace.bytes + text.encode(), usedforsecurity=False)
        number, end = 0, loan.last + ahead
        while number < end:
            number += 1
            whole = of_loan.copy()
            whole.update(b"%d]" % number)
            request_id = wanted.get(whole.digest()[:_COMPARED])
            if request_id is not None and request_id == ids.order_id(
                namespace, application=loan.application, loan_id=loan.loan_id, market=market, number=number
            ):
                yield Attributed(request_id, loan.key, number)
                end = max(end, number + ahead)


def _first_bytes(request_id: str) -> bytes | None:
    """The part of a UUID that is compared; None if the text is none of ours."""
    try:
        found = UUID(request_id)
    except ValueError:
        return None
    return found.bytes[:_COMPARED] if str(found) == request_id else None
