"""Outboxes: tables of events that are sent to SNS until it has taken them, the same bytes every time.

An event is a row, written in the transaction that it tells of. What is not marked as sent is sent again, unchanged.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, TypeVar

import structlog
from django.db import models, transaction
from django.db.models import Case, F, QuerySet, Value, When

from coruscant import aws, clock, failpoints, missing
from coruscant.backoff import back_off
from coruscant.restores import identity

log = structlog.get_logger(__name__)

#: Longer than looking up the topic and publishing can take. After a worker died, the event is due again only then.
ON_ITS_WAY = timedelta(seconds=25)
#: As many as SNS takes in one call.
BATCH = 10
#: Within some 40 seconds.
SENDS_BEFORE_A_TOPIC_IS_MADE_AGAIN = 8


class TopicMissing(LookupError):
    """There is no topic of this name: `manage.py provision_messaging` makes it, and others subscribe to it."""


class OutboxEvent(models.Model):
    """An event whose id and body never change, due until it is marked as sent."""

    event_id = models.UUIDField()
    body = models.TextField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    message_id = models.CharField(max_length=128, blank=True, default="", help_text="SNS MessageId of the marked send")
    sends = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.event_id)


Event = TypeVar("Event", bound=OutboxEvent)


def oldest_first(due: QuerySet[Event]) -> Iterable[Event]:
    """Of the events that are due, as many as go into one call."""
    return due.order_by("due_at", "pk")[:BATCH]


class Outbox(Generic[Event]):
    """The events of one table, and the topic that they go to.

    At least once: a crash between SNS and the mark sends the same bytes again. Nothing is taken while the database is
    not the accepted one.
    """

    def __init__(self, events: QuerySet[Event], topic: Callable[[], str]) -> None:
        """`events` are those that may be sent at all, sent or not; `topic` names the topic."""
        self._events = events
        self._topic = topic

    def take(self, choose: Callable[[QuerySet[Event]], Iterable[Event]]) -> list[Event]:
        """Count a send of events that are due, and keep others from sending them at the same time; returns them.

        `choose` picks up to BATCH of those that are due. Events that somebody has locked are left to them. Locks: the
        events' rows, to the end of this call.
        """
        if not identity.accepted():
            return []
        now = clock.now()
        with transaction.atomic():
            unsent = self._events.filter(sent_at__isnull=True, due_at__lte=now)
            events = list(choose(unsent.select_for_update(skip_locked=True, of=("self",))))
            self._rows([event.pk for event in events]).update(sends=F("sends") + 1, due_at=now + ON_ITS_WAY)
        for event in events:
            event.sends += 1
        return sorted(events, key=lambda event: event.pk)

    def send(self, events: Sequence[Event]) -> dict[int, str]:
        """Send events that were taken, in one call; mark those that SNS took, put off the others.

        Returns why each of these was not sent, by primary key. Call it outside any transaction.
        """
        failpoints.reach("publish.counted")
        topic = self._topic()
        try:
            answer = aws.sns().publish_batch(
                TopicArn=topic_arn(topic),
                PublishBatchRequestEntries=[{"Id": str(event.pk), "Message": event.body} for event in events],
            )
        except (*aws.FAILURES, TopicMissing) as error:
            topic_arn.cache_clear()
            if isinstance(error, TopicMissing):
                log.error("topic_missing", topic=topic, events=len(events))  # noqa: TRY400  (says it all)
                missing.note(topic)
                _make_again(topic, events)
            return self._put_off(events, dict.fromkeys((event.pk for event in events), str(error)))
        failpoints.reach("publish.sent")
        taken = {int(entry["Id"]): entry["MessageId"] for entry in answer.get("Successful", [])}
        self._mark_sent(taken)
        failpoints.reach("publish.marked")
        refused = {
            int(entry["Id"]): f"{entry['Code']} {entry.get('Message', '')}" for entry in answer.get("Failed", [])
        }
        return self._put_off([event for event in events if event.pk not in taken], refused)

    def write_marks(self, message_ids: Mapping[int, str], now: datetime) -> None:
        """Mark events (primary keys) as sent, in the caller's transaction; a mark made before stays."""
        ids = Case(*(When(pk=pk, then=Value(message_id)) for pk, message_id in message_ids.items()))
        self._rows(message_ids).filter(sent_at__isnull=True).update(sent_at=now, message_id=ids)

    def _mark_sent(self, message_ids: Mapping[int, str]) -> None:
        if not message_ids:
            return
        with transaction.atomic(durable=True):
            self.write_marks(message_ids, clock.now())
            failpoints.reach("publish.written")

    def _put_off(self, events: Sequence[Event], errors: Mapping[int, str]) -> dict[int, str]:
        """Let events be due again after a while; returns why each was not sent."""
        found = {}
        for event in events:
            error = errors.get(event.pk, "SNS did not mention it")
            due_at = clock.now() + back_off(event.sends, str(event.event_id))
            self._rows([event.pk]).filter(sent_at__isnull=True, sends=event.sends).update(due_at=due_at)
            log.warning("event_not_sent", event_id=str(event.event_id), sends=event.sends, error=error)
            found[event.pk] = error
        return found

    def _rows(self, keys: Iterable[int]) -> "QuerySet[Any]":
        return self._events.model._default_manager.filter(pk__in=list(keys))


def _make_again(topic: str, events: Sequence[OutboxEvent]) -> None:
    """Make a topic that an emulator has forgotten, once subscribers have had the time to make it and to subscribe.

    Before that, what is sent to it would reach nobody.
    """
    if aws.forgets() and max(event.sends for event in events) >= SENDS_BEFORE_A_TOPIC_IS_MADE_AGAIN:
        try:
            aws.sns().create_topic(Name=topic)
        except aws.FAILURES:
            return  # the next send finds it missing again
        log.warning("topic_made_again", topic=topic)
        missing.forget(topic)


@lru_cache(maxsize=4)
def topic_arn(topic: str) -> str:
    """The topic's name at AWS. Raises TopicMissing.

    Looked up, not made: nobody would be subscribed to a topic made here, and its events would count as sent
    although nobody has received them.
    """
    client, token = aws.sns(), ""
    while True:
        page = client.list_topics(NextToken=token) if token else client.list_topics()
        for found in page["Topics"]:
            if found["TopicArn"].endswith(f":{topic}"):
                return found["TopicArn"]
        token = page.get("NextToken", "")
        if not token:
            raise TopicMissing(f"there is no topic {topic}")
