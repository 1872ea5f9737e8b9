"""Batches of loans that a price changes, each in one transaction."""

from collections.abc import Callable, Iterator

import structlog

from coruscant import failpoints, history
from coruscant.any_of import AnyOf
from loans import terms
from loans.candidates import Search
from loans.models import Loan
from loans.terms import ByVersion
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

#: All that the rules ask of a loan. Its instants are not read: Django takes most of the time for these.
_RULED_BY = ("status", "outstanding_balance", "collateral", "terms")


def change_batches(
    action: str,
    point: PricePoint,
    search: Callable[[PricePoint, ByVersion], Search],
    change: Callable[[list[Loan]], int],
    limit: int,
) -> Iterator[int]:
    """Lock page after page of up to `limit` candidates; yield how many loans `change` has changed, where it did.

    Each page is changed in the transaction of whoever asks for the next batch, or in one of its own. `change` applies
    the exact rule to the locked loans, of which _RULED_BY is loaded, and changes those that it takes; pages without any
    are skipped (see `candidates`). The end means that no loan is left at this price, or that the price is not known.
    Locks: the loans of a page, in id order.
    """
    if point.price is None:
        return
    for page in search(point, terms.in_use()).pages(limit):
        with history.cause(action, correlation_id=point.correlation_id):
            # The terms are read after the locks: a lock that was waited for may have changed them.
            locked = Loan.objects.select_for_update().filter(AnyOf("pk", page)).order_by("pk")
            loans = list(locked.only(*_RULED_BY).prefetch_related("terms"))
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


def change_next_batch(
    action: str,
    point: PricePoint,
    search: Callable[[PricePoint, ByVersion], Search],
    change: Callable[[list[Loan]], int],
    limit: int,
) -> int:
    """The first of `change_batches`; 0 if there is none. For a search that finds no loan again that was changed."""
    return next(change_batches(action, point, search, change, limit), 0)
