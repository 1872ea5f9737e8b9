"""Which topic loan events go to: named by `manage.py provision_messaging`, from the setting LOAN_EVENTS_TOPIC.

Once a topic is named, a setting that is missing or mistyped changes nothing by itself: the topic is ended or renamed
only by who asks for that.
"""

from collections.abc import Iterator
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from coruscant import aws, clock, missing
from loans.events.models import LoanEvent, LoanEventTopic

log = structlog.get_logger(__name__)

#: Longer than a transaction may last that has looked before the topic was named.
GRACE = timedelta(seconds=60)


def named() -> str:
    """The topic; empty if none is named."""
    return LoanEventTopic.objects.values_list("topic", flat=True).first() or ""


def unsent(present: str) -> "QuerySet[LoanEvent]":
    """Loan events that the named topic is yet to hear of; none while none is named, since nobody is to."""
    return LoanEvent.objects.filter(sent_at=None) if present else LoanEvent.objects.none()


def difference_from_setting(present: str) -> str:
    """How LOAN_EVENTS_TOPIC differs from the topic that is named, as one sentence; empty if it does not."""
    setting = settings.LOAN_EVENTS_TOPIC
    if setting == present:
        return ""
    decides = f"loan events go to {present}" if present else "no loan events are written"
    return f"LOAN_EVENTS_TOPIC is {setting or 'empty'}, but {decides}."


def provision(*, end: bool = False, rename: bool = False) -> Iterator[str]:
    """Make the topic of the setting and name it; yields a line for each thing once it is done.

    If another topic is named, that is left, and the topic of the setting is not made. Unless the setting is empty and
    that shall `end` loan events, or it has another topic and that shall `rename` theirs. May be run any number of
    times. Raises what AWS raises.
    """
    topic = settings.LOAN_EVENTS_TOPIC
    replace = rename if topic else end
    if topic and (replace or named() in ("", topic)):
        aws.sns().create_topic(Name=topic)
        missing.forget(topic)
        yield f"topic {topic}: ready"
    if done := name(topic, replace=replace):
        yield f"loan events: {done}"


def name(topic: str, *, replace: bool = False) -> str:
    """Let every process write loan events for this topic from now on, or none if it is empty.

    A topic that is named already stays, which is logged as an error, unless it shall be replaced. Returns what was
    done, in words; empty if all was so already.
    """
    with transaction.atomic():
        present = LoanEventTopic.objects.select_for_update().first()
        before = present.topic if present else ""
        if topic == before:
            return ""
        if before and not replace:
            log.error("loan_events_topic_differs", topic=before, setting=topic)
            flag = "--rename-loan-events" if topic else "--end-loan-events"
            return f"nothing is changed. {difference_from_setting(before)} If that shall change: {flag}"
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
