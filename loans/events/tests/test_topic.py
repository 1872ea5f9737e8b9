"""A topic is named for all processes at once, with the instant from which every transition has an event."""

import io

import pytest
from django.core.management import CommandError, call_command

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


def provision(*flags):
    out = io.StringIO()
    call_command("provision_messaging", *flags, stdout=out)
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


@pytest.mark.parametrize("setting", ["", "mistyped"])
def test_a_setting_that_differs_leaves_the_topic_and_is_an_error_in_the_log(made, settings, caplog, setting):
    topic.name(TOPIC)
    row = LoanEventTopic.objects.values().get()
    settings.LOAN_EVENTS_TOPIC = setting
    (said,) = provision()
    assert f"nothing is changed. LOAN_EVENTS_TOPIC is {setting or 'empty'}, but loan events go to {TOPIC}." in said
    assert ("--rename-loan-events" if setting else "--end-loan-events") in said
    assert (LoanEventTopic.objects.values().get(), made) == (row, [])
    errors = [record.msg for record in caplog.records if record.levelname == "ERROR"]
    assert [(one["event"], one["topic"], one["setting"]) for one in errors] == [
        ("loan_events_topic_differs", TOPIC, setting)
    ]


def test_another_topic_that_is_asked_for_changes_nothing_of_what_is_written(made, settings):
    topic.name(TOPIC)
    since = LoanEventTopic.objects.get().since
    settings.LOAN_EVENTS_TOPIC = "other"
    assert provision("--rename-loan-events") == ["topic other: ready", "loan events: written for other"]
    assert (topic.named(), LoanEventTopic.objects.get().since) == ("other", since)
    assert provision("--rename-loan-events") == ["topic other: ready"]


def test_loan_events_are_ended_by_who_asks_for_it(made):
    topic.name(TOPIC)
    assert provision("--end-loan-events") == [f"loan events: none are written any more, {TOPIC} was their topic"]
    assert topic.named() == ""
    assert provision("--end-loan-events") == []


@pytest.mark.parametrize(("flag", "setting"), [("--end-loan-events", TOPIC), ("--rename-loan-events", "")])
def test_what_contradicts_the_setting_is_refused(made, settings, flag, setting):
    topic.name(TOPIC)
    settings.LOAN_EVENTS_TOPIC = setting
    with pytest.raises(CommandError, match="LOAN_EVENTS_TOPIC is"):
        provision(flag)
    assert (topic.named(), made) == (TOPIC, [])
