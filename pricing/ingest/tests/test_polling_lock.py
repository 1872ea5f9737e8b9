"""One poller per market at a time."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from coruscant import clock
from pricing.ingest.polling_lock import PollingLock
from pricing.ingest.record import IngestCounts
from pricing.ingest.tests.support import feed, poll_once, send
from pricing.models import Feed
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, mos_espa_event

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_second_poller_does_nothing(messaging):
    send(json.dumps(mos_espa_event()))
    with PollingLock(MOS_ESPA, wait_seconds=5) as lock:
        assert lock.renew()
        assert poll_once() == IngestCounts()
        assert lock.renew()
        assert poll_once(BLACK_SPIRE) == IngestCounts()
        lock.all_recorded = True
    assert poll_once() == IngestCounts(quotes=1)


def test_a_lock_that_expired_is_taken_over_and_no_receive_proves_anything_yet(messaging, settings):
    past = clock.now() - timedelta(seconds=1)
    Feed.objects.create(market=MOS_ESPA, poller=uuid4(), polled_until=past)
    send(json.dumps(mos_espa_event()))
    assert poll_once() == IngestCounts(quotes=1)
    assert feed().drained_to is None
    hidden = feed().in_flight_until - past
    assert hidden > timedelta(seconds=settings.SQS_VISIBILITY_SECONDS)


def test_a_poller_whose_lock_was_taken_stops_and_releases_nothing(messaging):
    other = uuid4()
    with PollingLock(MOS_ESPA, wait_seconds=5) as lock:
        assert lock.renew()
        Feed.objects.update(poller=other)
        assert not lock.renew()
        lock.all_recorded = True
    assert feed().poller == other
