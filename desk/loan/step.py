"""What happened to a loan, as its page tells it. Frozen values."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from coruscant.outbox import OutboxEvent
from desk.evidence.books import Books
from desk.loan import words
from liquidation.models import TradeOrder


@dataclass(frozen=True, slots=True)
class Told:
    """The event that told others of a step; `sent_at` is when SNS had taken it."""

    event_id: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class QuoteShown:
    """A quote behind a claim, as that kept it; `price` (GC a unit) is that of the reference quantity."""

    market: str
    reference: str
    sent_at: datetime
    price: str | None
    remark: str
    curve: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: `title` in one or two words, `text` goes on with it.

    `kind` is good, warning, danger or empty. `by` is who or what caused it, `cause` the reason that history keeps, with
    its correlation id. `said` is what a market said, word by word.
    """

    at: datetime
    title: str
    text: str = ""
    kind: str = ""
    by: str = ""
    cause: str = ""
    said: str = ""
    told: Told | None = None
    quotes: tuple[QuoteShown, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the timeline; `state` has the columns of the row as it was after that."""

    at: datetime
    table: str
    row: Any
    created: bool
    values: Mapping[str, Any]
    state: Mapping[str, Any]
    cause: Mapping[str, Any]

    def step(self, title: str, text: str = "", **columns: Any) -> Step:
        """The step that it was, with its cause. Its instant is that of the history, unless another is given."""
        found = {"at": self.at, "by": words.who(self.cause), "cause": self.cause["reason"], **columns}
        return Step(title=title, text=text, **found)


@dataclass(frozen=True)
class Known:
    """The rows about a loan, by what steps look them up by. `whole`: all of them were read."""

    books: Books
    whole: bool = True

    @cached_property
    def orders(self) -> Mapping[int, TradeOrder]:
        """The orders, by id."""
        return {order.pk: order for order in self.books.orders}

    @cached_property
    def answered(self) -> Counter[int]:
        """How many sends of an order, by its id, were answered."""
        return Counter(order for order, _send in {(answer.order_id, answer.send) for answer in self.books.answers})

    @cached_property
    def _events(self) -> Mapping[tuple[str, datetime], OutboxEvent]:
        return {(event.event_type, event.created_at): event for event in self.books.loan_events}

    def told_of(self, event_type: str, at: datetime | None) -> Told | None:
        """The loan event of a transition, which has the instant of that."""
        return told(self._events.get((event_type, at))) if at else None


def told(event: OutboxEvent | None) -> Told | None:
    """An event as a step names it."""
    return None if event is None else Told(str(event.event_id), event.sent_at)
