"""When people set a market's prices aside: an interval on the timeline, in which they count for nothing. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from pricing.markets import Market


class Interval(NamedTuple):
    """A time in which a market's prices are set aside: from `start` on, until just before `end`.

    One that holds ends in the future, and may end earlier than it says now.
    """

    market: Market
    start: datetime
    end: datetime


#: Those that may matter, in any order; most often none.
Aside = tuple[Interval, ...]


def is_aside(aside: Aside, market: Market, instant: datetime) -> bool:
    """Whether a market's prices are set aside at an instant."""
    return any(one.market == market and one.start <= instant < one.end for one in aside)


def edges(aside: Iterable[Interval]) -> Iterator[datetime]:
    """The instants from which prices count no more, or count again."""
    for one in aside:
        yield from (one.start, one.end)
