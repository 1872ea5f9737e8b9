"""Publish events: those of liquidations, to all branches, and behind them those of loans."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet

from coruscant import aws, clock, history, rows
from coruscant.outbox import BATCH, Outbox, oldest_first
from liquidation.models import LiquidationEvent
from loans.events import topic
from loans.events.models import LoanEvent

#: Short, so that the thread is soon free for other tasks; what is left waits for the next second.
LONGEST_RUN = timedelta(seconds=5)


class EventNotSent(Exception):  # not an error: the event stays in the outbox
    """SNS did not take an event; it stays due."""


class _LiquidationEvents(Outbox[LiquidationEvent]):
    def write_marks(self, message_ids: Mapping[int, str], now: datetime) -> None:
        """Mark them under the cause of each claim; after a crash of prices all claims have the same."""
        unmarked = LiquidationEvent.objects.select_for_update(of=("self",)).filter(
            pk__in=message_ids, sent_at__isnull=True
        )
        by_cause = defaultdict(list)
        for event in unmarked.select_related("liquidation").defer("liquidation__evidence").order_by("pk"):
            event.sent_at, event.message_id = now, message_ids[event.pk]
            by_cause[event.liquidation.correlation_id].append(event)
        for correlation_id, events in by_cause.items():
            history.set_cause("publish", correlation_id=correlation_id)
            rows.write(*((event, ("sent_at", "message_id")) for event in events))


#: What a restore holds is left.
_LIQUIDATION_EVENTS = _LiquidationEvents(
    LiquidationEvent.objects.filter(liquidation__held_by__isnull=True), lambda: aws.LIQUIDATION_TOPIC
)
_LOAN_EVENTS = Outbox(LoanEvent.objects.all(), topic.named)


def publish(liquidation_id: int) -> bool:
    """Send the event of a settled liquidation, unless it is sent or on its way; return whether it is sent.

    Up to nine other events that are due go with it, since a call of SNS costs more than what it carries. At least
    once: a crash between SNS and the mark sends the same bytes again. Locks: the events' rows, never while SNS is
    called. Raises EventNotSent when SNS did not take it; the row is then due again.
    """
    events = _LIQUIDATION_EVENTS.take(_of([liquidation_id], others=BATCH - 1))
    if not events:
        return LiquidationEvent.objects.filter(liquidation=liquidation_id, sent_at__isnull=False).exists()
    failures = _LIQUIDATION_EVENTS.send(events)
    own = next(event for event in events if event.liquidation_id == liquidation_id)
    if error := failures.get(own.pk):
        raise EventNotSent(error)
    return True


def publish_all(liquidation_ids: Sequence[int]) -> None:
    """Send the events of up to ten settled liquidations in one call; what SNS does not take stays due, and is logged.

    The same promises as `publish`.
    """
    if events := _LIQUIDATION_EVENTS.take(_of(liquidation_ids, others=0)):
        _LIQUIDATION_EVENTS.send(events)


def publish_loan_events() -> int:
    """Send loan events that are due, a batch at a time and for a short time; returns how many were sent.

    No loan event is taken while a liquidation event is due: that is sent first. A call that SNS takes nothing of ends
    it. The same promises as `publish`; loan events are sent in no order, since their sequence has it.
    """
    if not topic.named():
        return 0
    began, sent = clock.now(), 0
    while clock.now() - began < LONGEST_RUN:
        if first := _LIQUIDATION_EVENTS.take(oldest_first):
            if len(_LIQUIDATION_EVENTS.send(first)) == len(first):
                break
            continue
        events = _LOAN_EVENTS.take(oldest_first)
        failures = _LOAN_EVENTS.send(events) if events else {}
        sent += len(events) - len(failures)
        if len(failures) == len(events):  # nothing was due, or nothing was taken
            break
    return sent


def _of(
    liquidation_ids: Sequence[int], *, others: int
) -> Callable[[QuerySet[LiquidationEvent]], Iterable[LiquidationEvent]]:
    """Choose the events of these liquidations and up to `others` more; none if none of these is due."""

    def choose(due: QuerySet[LiquidationEvent]) -> list[LiquidationEvent]:
        events = list(due.filter(liquidation__in=liquidation_ids).order_by("pk"))
        if events and others:
            events += due.exclude(liquidation__in=liquidation_ids).order_by("due_at")[:others]
        return events

    return choose
