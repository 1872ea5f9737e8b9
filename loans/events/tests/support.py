"""A topic that is named, and what was told."""

import json

from loans.events.models import LoanEvent, LoanEventTopic
from loans.tests.factories import LONG_AGO

TOPIC = "coruscant-bank-loan-events"


def name_topic(since=LONG_AGO):
    """Let transitions write events."""
    return LoanEventTopic.objects.create(topic=TOPIC, since=since)


def told(**of):
    """The bodies of events, the first one first."""
    return [json.loads(body) for body in LoanEvent.objects.filter(**of).order_by("pk").values_list("body", flat=True)]
