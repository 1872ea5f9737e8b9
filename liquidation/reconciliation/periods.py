"""Which times the statements of a market cover without a gap."""

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

from liquidation.reconciliation.models import Reconciliation

Period = tuple[datetime, datetime]


def covered(market: str, *, compared_since: datetime | None = None) -> list[Period]:
    """The times that statements of a market cover, in order; of those compared since an instant, if one is given."""
    found = Reconciliation.objects.filter(market=market)
    if compared_since is not None:
        found = found.filter(compared_at__gte=compared_since)
    return merged(found.values_list("period_from", "period_to"))


def gaps_beside(period: Period, periods: list[Period]) -> list[Period]:
    """The gaps between a period and its neighbours among `periods`, as `merged` returns them. Pure.

    The period lies in one of them.
    """
    return [
        (before[1], after[0])
        for before, after in pairwise(periods)
        if before[0] <= period[0] <= before[1] or after[0] <= period[0] <= after[1]
    ]


def merged(periods: Iterable[Period]) -> list[Period]:
    """Periods that touch or overlap become one. Pure."""
    found: list[Period] = []
    for start, end in sorted(periods):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
