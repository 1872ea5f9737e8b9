"""A topic is named for all processes at once, with the instant from which every transition has an event."""

import io

import pytest
from django.core.management import call_command

from coruscant import aws, clock
from loans.events import topic
from loans.events.models import LoanEventTopic
from loans.events.tests.support import TOPIC

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(monkeypatch):
    names = []

    class Topics:
        def create_topic(self, Name):
            names.append(Name)

    monkeypatch.setattr(aws, "sns", Topics)
    monkeypatch.setattr("pricing.ingest.provision.provision", lambda: iter(()))
    return names


def provision():
    out = io.StringIO()
    call_command("provision_messaging", stdout=out)
    return out.getvalue().splitlines()


def test_without_a_setting_there_is_no_topic(made):
    assert provision() == []
    assert (topic.named(), made) == ("", [])


def test_the_topic_of_the_setting_is_made_and_named_once(made, settings):
    settings.LOAN_EVENTS_TOPIC = TOPIC
    before = clock.now()
    assert provision() == [f"topic {TOPIC}: ready", f"loan events: written for {TOPIC}"]
    named = LoanEventTopic.objects.get()
    assert named.since >= before + topic.GRACE, "transactions that looked before it was named have ended by then"
    assert provision() == [f"topic {TOPIC}: ready"]
    assert LoanEventTopic.objects.get().since == named.since
    assert made == [TOPIC, TOPIC]


def test_another_topic_changes_nothing_of_what_is_written(made, settings):
    topic.name(TOPIC)
    since = LoanEventTopic.objects.get().since
    settings.LOAN_EVENTS_TOPIC = "other"
    assert provision() == ["topic other: ready", "loan events: written for other"]
    assert (topic.named(), LoanEventTopic.objects.get().since) == ("other", since)


def test_an_empty_setting_ends_it_and_says_so(made):
    topic.name(TOPIC)
    assert provision() == [f"loan events: none are written any more, {TOPIC} was their topic"]
    assert topic.named() == ""
