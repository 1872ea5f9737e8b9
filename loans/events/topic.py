"""Which topic loan events go to: named by `manage.py provision_messaging`, from the setting LOAN_EVENTS_TOPIC."""

from collections.abc import Iterator
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction

from coruscant import aws, clock
from loans.events.models import LoanEventTopic

log = structlog.get_logger(__name__)

#: Longer than a transaction may last that has looked before the topic was named.
GRACE = timedelta(seconds=60)


def named() -> str:
    """The topic; empty if none is named."""
    return LoanEventTopic.objects.values_list("topic", flat=True).first() or ""


def provision() -> Iterator[str]:
    """Make the topic of the setting and name it, or end an earlier one; yields a line for each thing once it is done.

    May be run any number of times. Raises what AWS raises.
    """
    topic = settings.LOAN_EVENTS_TOPIC
    if topic:
        aws.sns().create_topic(Name=topic)
        yield f"topic {topic}: ready"
    if done := name(topic):
        yield f"loan events: {done}"


def name(topic: str) -> str:
    """Let every process write loan events for this topic from now on, or none if it is empty.

    Returns what was done, in words; empty if all was so already.
    """
    with transaction.atomic():
        present = LoanEventTopic.objects.select_for_update().first()
        before = present.topic if present else ""
        if topic == before:
            return ""
        if not topic:
            LoanEventTopic.objects.all().delete()
            done = f"none are written any more, {before} was their topic"
        else:
            # Another topic changes nothing of what is written, nor since when.
            since = present.since if present else clock.now() + GRACE
            LoanEventTopic.objects.update_or_create(defaults={"topic": topic, "since": since}, id=1)
            done = f"written for {topic}"
    log.warning("loan_events_topic_named", topic=topic, before=before)
    return done
