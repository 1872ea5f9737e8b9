"""Batches of loans that a price changes, each in one transaction."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

import structlog

from coruscant import failpoints, history
from coruscant.any_of import AnyOf
from loans import terms
from loans.candidates import Search
from loans.models import Loan, LoanTerms
from loans.terms import ByVersion
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)


class LockedLoan(NamedTuple):
    """All that the rules ask of a loan, as a plain row: Django takes longer to make a model of it than the rules do."""

    pk: int
    status: str
    outstanding_balance: Decimal
    collateral: Decimal
    terms: LoanTerms


def change_batches(
    action: str,
    point: PricePoint,
    search: Callable[[PricePoint, ByVersion], Search],
    change: Callable[[list[LockedLoan]], int],
    limit: int,
) -> Iterator[int]:
    """Lock page after page of up to `limit` candidates; yield how many loans `change` has changed, where it did.

    Each page is changed in the transaction of whoever asks for the next batch, or in one of its own. `change` applies
    the exact rule to the locked loans, and changes those that it takes; pages without any are skipped (see
    `candidates`). The end means that no loan is left at this price, or that the price is not known.
    Locks: the loans of a page, in id order.
    """
    if point.price is None:
        return
    for page in search(point, terms.in_use()).pages(limit):
        with history.cause(action, correlation_id=point.correlation_id):
            loans = _lock(page)
            failpoints.reach(f"{action}.locked")
            changed = change(loans)
            if changed:
                failpoints.reach(f"{action}.written")
        if changed:
            failpoints.reach(f"{action}.committed")
            log.info(
                "loans_changed", action=action, loans=changed, price=str(point.price), price_at=point.at.isoformat(),
                correlation_id=point.correlation_id,
            )  # fmt: skip
            yield changed


def _lock(loan_pks: list[int]) -> list[LockedLoan]:
    """Lock these loans, in id order."""
    locked = Loan.objects.select_for_update().filter(AnyOf("pk", loan_pks)).order_by("pk")
    rows = list(locked.values_list("pk", "status", "outstanding_balance", "collateral", "terms_id"))
    # The terms are read after the locks: a lock that was waited for may have changed them.
    versions = LoanTerms.objects.in_bulk({version for *_, version in rows})
    return [LockedLoan(pk, status, owed, units, versions[version]) for pk, status, owed, units, version in rows]
