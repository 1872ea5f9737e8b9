"""One batch of loans that a price changes, in one transaction."""

from collections.abc import Callable, Iterator

import structlog

from coruscant import failpoints, history
from loans.models import Loan
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)


def change_next_batch(
    action: str,
    point: PricePoint,
    pages: Iterator[list[int]],
    choose: Callable[[list[Loan]], list[Loan]],
    change: Callable[[list[Loan]], None],
) -> int:
    """Lock page after page until the exact rule in `choose` takes some loans; change these, commit, say how many.

    0 means that nobody is left at this price. Loans that the exact rule turns down are passed over (see `candidates`).
    Locks: the loans of a page, in id order.
    """
    for page in pages:
        with history.cause(action, correlation_id=point.correlation_id):
            loans = list(Loan.objects.select_for_update().filter(pk__in=page).order_by("pk"))
            failpoints.reach(f"{action}.locked")
            chosen = choose(loans)
            if chosen:
                change(chosen)
                failpoints.reach(f"{action}.written")
        if chosen:
            failpoints.reach(f"{action}.committed")
            log.info(
                "loans_changed",
                action=action,
                loans=len(chosen),
                price=str(point.price),
                price_at=point.at.isoformat(),
            )
            return len(chosen)
    return 0
