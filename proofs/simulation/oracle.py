"""What the best price was, computed anew and as simply as possible from what the markets published. Pure.

It shares no code with `pricing.quotes`: every span between two instants at which anything changes is looked at by
itself, from all quotes. It is slow, and it is meant to be obviously right.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

MAX_AGE = timedelta(seconds=60)
MAX_LAG = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Heard:
    """A price event that the service has received: its price for one unit in GC, and what orders it."""

    market: str
    price: Decimal
    sent_at: datetime
    own_time: Decimal
    reference: str
    too_late: bool


@dataclass(frozen=True, slots=True)
class Span:
    """The best price in [start, end); it does not apply where a current quote came too late."""

    start: datetime
    end: datetime
    price: Decimal | None
    applies: bool


def spans(heard: Iterable[Heard], drained_to: Mapping[str, datetime], until: datetime) -> list[Span]:
    """The best price over all time up to `until`; `drained_to` is how far each market's silence is known."""
    everything = [(one, _dies_at(one, drained_to.get(one.market))) for one in heard]
    instants = {instant for one, death in everything for instant in (one.sent_at, death)}
    edges = [*sorted(instant for instant in instants if instant < until), until]
    deaths = dict(everything)
    found = []
    for start, end in pairwise(edges):
        alive = [one for one in _current_quotes(deaths, start) if start < deaths[one]]
        price = max((one.price for one in alive), default=None)
        found.append(Span(start, end, price, applies=not any(one.too_late for one in alive)))
    return found


def _dies_at(one: Heard, drained_to: datetime | None) -> datetime:
    """A silence that may be our own lag is not taken for one, up to a limit."""
    if one.too_late or (drained_to is not None and drained_to >= one.sent_at + MAX_AGE):
        return one.sent_at + MAX_AGE
    return one.sent_at + MAX_LAG


def possible_prices(heard: Sequence[Heard], instant: datetime) -> set[Decimal]:
    """The best prices that the service may have seen for an instant, not knowing how far queues are drained."""
    current = _current_quotes(heard, instant)
    certain = [one.price for one in current if instant < one.sent_at + MAX_AGE]
    perhaps = [one.price for one in current if one.sent_at + MAX_AGE <= instant < one.sent_at + MAX_LAG]
    floor = max(certain, default=Decimal(0))
    return {price for price in (*certain, *perhaps) if price >= floor}


def _current_quotes(heard: Iterable[Heard], instant: datetime) -> list[Heard]:
    """Each market's last event sent by `instant`, an older own time not counting while the newer one is fresh."""
    current: dict[str, Heard] = {}
    for one in sorted(heard, key=lambda one: (one.sent_at, one.own_time, one.reference)):
        if one.sent_at > instant:
            continue
        before = current.get(one.market)
        if before is None or one.own_time >= before.own_time or one.sent_at >= before.sent_at + MAX_AGE:
            current[one.market] = one
    return list(current.values())
