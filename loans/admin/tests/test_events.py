"""Loan events are listed and read, and a banner says when they are not taken."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from coruscant import clock
from coruscant.admin.overview import notices
from coruscant.admin.tests.bank import THEN, make_bank, make_representative
from coruscant.admin.tests.plans import plans
from loans.events.models import LoanEvent, LoanEventTopic

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

NOT_TAKEN = "Loan events are not taken since"


@pytest.fixture
def bank():
    return make_bank()


@pytest.fixture
def index(client):
    client.force_login(make_representative())

    def open_index():
        return client.get(reverse("admin:index")).content.decode()

    return open_index


def test_a_banner_says_that_events_were_not_taken_for_a_minute(bank, index):
    assert NOT_TAKEN in index()
    LoanEvent.objects.update(sent_at=clock.now())
    assert NOT_TAKEN not in index()


def test_an_event_that_fails_again_and_again_does_not_hide_behind_newer_ones(bank, index):
    now = clock.now()
    LoanEvent.objects.update(due_at=now + timedelta(minutes=5), sends=9)
    LoanEvent.objects.create(
        loan=bank.active, sequence=2, event_type="margin-call", event_id=uuid4(), body="{}", created_at=now, due_at=now
    )
    assert f"{NOT_TAKEN} {THEN:%Y-%m-%d %H:%M:%S} UTC" in index()


def test_the_oldest_is_found_without_looking_at_the_others(bank, rf):
    with plans() as found:
        assert any(NOT_TAKEN in str(notice.message) for notice in notices(rf.get("/")))
    assert sum("'loan_events_unsent'" in plan for plan in found) == 1


def test_a_banner_says_that_the_setting_and_the_topic_differ(bank, index, settings):
    assert "LOAN_EVENTS_TOPIC is empty, but loan events go to coruscant-bank-loan-events." in index()
    settings.LOAN_EVENTS_TOPIC = "mistyped"
    assert "LOAN_EVENTS_TOPIC is mistyped, but loan events go to coruscant-bank-loan-events." in index()
    settings.LOAN_EVENTS_TOPIC = "coruscant-bank-loan-events"
    assert "LOAN_EVENTS_TOPIC is" not in index()
    LoanEventTopic.objects.all().delete()
    assert "LOAN_EVENTS_TOPIC is coruscant-bank-loan-events, but no loan events are written." in index()


def test_without_a_topic_there_is_nothing_to_be_taken(bank, index):
    LoanEventTopic.objects.all().delete()
    assert NOT_TAKEN not in index()
