"""Publish: the event's row is the outbox. Send to SNS, then mark; not marked is sent again, byte for byte, for ever."""

from datetime import timedelta
from functools import lru_cache

import structlog
from django.db import transaction

from coruscant import audit, aws, clock, failpoints
from liquidation.errors import EventNotSent
from liquidation.models import LiquidationEvent
from liquidation.pacing import back_off

log = structlog.get_logger(__name__)


class TopicMissing(LookupError):
    """There is no topic of this name: `manage.py provision_messaging` makes it, and the branches subscribe."""


#: Longer than looking up the topic and publishing can take; recovery follows a worker that dies in between after it.
ON_ITS_WAY = timedelta(seconds=25)


def publish(liquidation_id: int) -> bool:
    """Send the event of a settled liquidation, unless it is sent or on its way; return whether it is sent.

    At least once: a crash between SNS and the mark sends the same bytes again. Locks: the event's row, never
    while SNS is called. Raises EventNotSent when SNS did not take it; the row is then due again.
    """
    event = _take(liquidation_id)
    if event is None:
        return LiquidationEvent.objects.filter(liquidation=liquidation_id, sent_at__isnull=False).exists()
    failpoints.reach("publish.counted")
    try:
        message_id = aws.sns().publish(TopicArn=_topic_arn(), Message=event.body)["MessageId"]
    except (*aws.FAILURES, TopicMissing) as error:
        _topic_arn.cache_clear()
        _put_off(event)
        tell = log.error if isinstance(error, TopicMissing) else log.warning
        tell("event_not_sent", event_id=str(event.event_id), sends=event.sends, error=_described(error))
        raise EventNotSent(_described(error)) from error
    failpoints.reach("publish.sent")
    _mark_sent(event.pk, message_id)
    failpoints.reach("publish.marked")
    return True


def _described(error: Exception) -> str:
    """What went wrong with SNS, for a log."""
    return f"there is no topic {error}" if isinstance(error, TopicMissing) else str(error)


def _take(liquidation_id: int) -> LiquidationEvent | None:
    """Count a send of an event that is due, and keep others from sending it at the same time."""
    with transaction.atomic():
        event = LiquidationEvent.objects.select_for_update().filter(liquidation=liquidation_id).first()
        now = clock.now()
        if event is None or event.sent_at is not None or event.due_at > now:
            return None
        event.sends += 1
        event.due_at = now + ON_ITS_WAY
        event.save(update_fields=["sends", "due_at"])
        return event


def _put_off(event: LiquidationEvent) -> None:
    with transaction.atomic():
        current = LiquidationEvent.objects.select_for_update().get(pk=event.pk)
        if current.sent_at is None and current.sends == event.sends:
            current.due_at = clock.now() + back_off(event.sends, str(event.event_id))
            current.save(update_fields=["due_at"])


def _mark_sent(event_pk: int, message_id: str) -> None:
    with transaction.atomic():
        event = LiquidationEvent.objects.select_for_update(of=("self",)).select_related("liquidation").get(pk=event_pk)
        if event.sent_at is None:
            event.sent_at = clock.now()
            event.message_id = message_id
            with audit.cause("publish", correlation_id=event.liquidation.correlation_id):
                event.save()
        failpoints.reach("publish.written")


@lru_cache(maxsize=1)
def _topic_arn() -> str:
    """The topic's name at AWS. Raises TopicMissing.

    Looked up, never made: nobody would be subscribed to a topic made here, and an event it took would count as sent
    while no branch has heard it.
    """
    client, token = aws.sns(), ""
    while True:
        page = client.list_topics(NextToken=token) if token else client.list_topics()
        for topic in page["Topics"]:
            if topic["TopicArn"].endswith(f":{aws.LIQUIDATION_TOPIC}"):
                return topic["TopicArn"]
        token = page.get("NextToken", "")
        if not token:
            raise TopicMissing(aws.LIQUIDATION_TOPIC)
