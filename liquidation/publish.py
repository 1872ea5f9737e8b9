"""Publish events from the outbox, their table: send to SNS, then mark. What is not marked is sent again, unchanged."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache

import structlog
from django.db import transaction
from django.db.models import F

from coruscant import aws, clock, failpoints, history, rows
from coruscant.restores import identity
from liquidation.backoff import back_off
from liquidation.models import LiquidationEvent

log = structlog.get_logger(__name__)


class EventNotSent(Exception):  # not an error: the event stays in the outbox
    """SNS did not take an event; it stays due."""


class TopicMissing(LookupError):
    """There is no topic of this name: `manage.py provision_messaging` makes it, and the branches subscribe."""


#: Longer than looking up the topic and publishing can take. After a worker died, the event is due again only then.
ON_ITS_WAY = timedelta(seconds=25)
#: As many as SNS takes in one call.
BATCH = 10


def publish(liquidation_id: int) -> bool:
    """Send the event of a settled liquidation, unless it is sent or on its way; return whether it is sent.

    Up to nine other events that are due go with it, since a call of SNS costs more than what it carries. At least
    once: a crash between SNS and the mark sends the same bytes again. Locks: the events' rows, never while SNS is
    called. Raises EventNotSent when SNS did not take it; the row is then due again.
    """
    events = _take([liquidation_id], others=BATCH - 1)
    if not events:
        return LiquidationEvent.objects.filter(liquidation=liquidation_id, sent_at__isnull=False).exists()
    failures = _send(events)
    if error := failures.get(liquidation_id):
        raise EventNotSent(error)
    return True


def publish_all(liquidation_ids: Sequence[int]) -> None:
    """Send the events of up to ten settled liquidations in one call; what SNS does not take stays due, and is logged.

    The same promises as `publish`.
    """
    if events := _take(liquidation_ids, others=0):
        _send(events)


def _take(liquidation_ids: Sequence[int], *, others: int) -> list[LiquidationEvent]:
    """Count a send of events that are due, and keep others from sending them at the same time; returns them, counted.

    Events that somebody has locked are left to them. With nothing of its own to send, a call leaves the others, too.
    What a restore holds is left, and everything while the database is not the accepted one.
    """
    if not identity.accepted():
        return []
    now = clock.now()
    with transaction.atomic():
        due = LiquidationEvent.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            sent_at__isnull=True, due_at__lte=now, liquidation__held_by__isnull=True
        )
        events = list(due.filter(liquidation__in=liquidation_ids).order_by("pk"))
        if events and others:
            events += due.exclude(liquidation__in=liquidation_ids).order_by("due_at")[:others]
        LiquidationEvent.objects.filter(pk__in=[event.pk for event in events]).update(
            sends=F("sends") + 1, due_at=now + ON_ITS_WAY
        )
    for event in events:
        event.sends += 1
    return sorted(events, key=lambda event: event.pk)


def _send(events: Sequence[LiquidationEvent]) -> dict[int, str]:
    """Send events in one call; mark those that SNS took, delay the others, and return why, by liquidation."""
    failpoints.reach("publish.counted")
    try:
        answer = aws.sns().publish_batch(
            TopicArn=_topic_arn(),
            PublishBatchRequestEntries=[{"Id": str(event.id), "Message": event.body} for event in events],
        )
    except (*aws.FAILURES, TopicMissing) as error:
        _topic_arn.cache_clear()
        if isinstance(error, TopicMissing):
            log.error("topic_missing", topic=aws.LIQUIDATION_TOPIC, events=len(events))  # noqa: TRY400  (says it all)
        return _put_off(events, dict.fromkeys((event.id for event in events), str(error)))
    failpoints.reach("publish.sent")
    taken = {int(entry["Id"]): entry["MessageId"] for entry in answer.get("Successful", [])}
    _mark_sent(taken)
    failpoints.reach("publish.marked")
    refused = {int(entry["Id"]): f"{entry['Code']} {entry.get('Message', '')}" for entry in answer.get("Failed", [])}
    return _put_off([event for event in events if event.id not in taken], refused)


def _put_off(events: Sequence[LiquidationEvent], errors: Mapping[int, str]) -> dict[int, str]:
    """Let events be due again after a while; returns why each was not sent, by liquidation."""
    found = {}
    for event in events:
        error = errors.get(event.id, "SNS did not mention it")
        due_at = clock.now() + back_off(event.sends, str(event.event_id))
        LiquidationEvent.objects.filter(pk=event.id, sent_at__isnull=True, sends=event.sends).update(due_at=due_at)
        log.warning("event_not_sent", event_id=str(event.event_id), sends=event.sends, error=error)
        found[event.liquidation_id] = error
    return found


def _mark_sent(message_ids: Mapping[int, str]) -> None:
    """Mark events (primary keys) as sent, with the ids that SNS gave them; a mark made before stays.

    The cause of each is its claim's; after a crash of prices all claims have the same.
    """
    with transaction.atomic(durable=True):
        now = clock.now()
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
        failpoints.reach("publish.written")


@lru_cache(maxsize=1)
def _topic_arn() -> str:
    """The topic's name at AWS. Raises TopicMissing.

    Looked up, never made: nobody would be subscribed to a topic made here, and its events would count as sent
    although no branch has received it.
    """
    client, token = aws.sns(), ""
    while True:
        page = client.list_topics(NextToken=token) if token else client.list_topics()
        for topic in page["Topics"]:
            if topic["TopicArn"].endswith(f":{aws.LIQUIDATION_TOPIC}"):
                return topic["TopicArn"]
        token = page.get("NextToken", "")
        if not token:
            raise TopicMissing(f"there is no topic {aws.LIQUIDATION_TOPIC}")
