"""Polling real queues: what is received is recorded and announced, and only then deleted."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection

from coruscant import clock
from pricing.ingest import poll, polling_lock, queue
from pricing.ingest.record import IngestCounts
from pricing.ingest.tests.support import feed, fill, poll_once, send
from pricing.models import PriceQuote, RejectedMessage
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, black_spire_event, mos_espa_event

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_markets_publish_is_recorded_and_deleted(messaging):
    began = clock.now()
    messaging.publish(MOS_ESPA, json.dumps(mos_espa_event()))
    messaging.publish(BLACK_SPIRE, json.dumps(black_spire_event()))
    messaging.publish(BLACK_SPIRE, json.dumps(black_spire_event(item="STEEL:OTHER")))
    messaging.publish(BLACK_SPIRE, "garbage")
    assert poll_once() == IngestCounts(quotes=1)
    assert poll_once(BLACK_SPIRE) == IngestCounts(quotes=1, skipped=1, rejected=1)
    for row in PriceQuote.objects.all():
        # SentTimestamp has milliseconds only.
        assert began - timedelta(milliseconds=1) <= row.sent_at <= row.received_at <= clock.now()
    assert RejectedMessage.objects.get().body == "garbage"
    assert (messaging.left(MOS_ESPA), messaging.left(BLACK_SPIRE)) == (0, 0)
    assert feed().drained_to is None
    assert began < feed().polled_at
    assert (feed().poller, feed().polled_until, feed().in_flight_until) == (None, None, None)


def test_an_empty_poll_drains_the_feed_further(messaging):
    assert poll_once() == IngestCounts()
    first = feed().drained_to
    assert poll_once() == IngestCounts()
    assert first < feed().drained_to


def test_a_poll_goes_on_until_its_time_is_over(messaging):
    fill(23)
    assert poll_once(seconds=1) == IngestCounts(quotes=23)
    assert messaging.left(MOS_ESPA) == 0


def test_a_full_queue_is_announced_at_its_end_and_no_receive_waits_before_that(messaging, reached, monkeypatch):
    waits, receive = [], queue.receive
    monkeypatch.setattr(queue, "receive", lambda source, wait: waits.append(wait) or receive(source, wait))
    monkeypatch.setattr(poll, "ANNOUNCED_WITHIN", timedelta(seconds=60))
    monkeypatch.setattr(queue, "GATHERED", queue.BATCH)
    fill(2 * queue.BATCH)
    assert poll_once(seconds=1) == IngestCounts(quotes=2 * queue.BATCH)
    announced = [name for name in reached.names if name in {"ingest.committed", "ingest.announced"}]
    assert announced[:3] == ["ingest.committed", "ingest.committed", "ingest.announced"]
    assert waits[:4] == [1, 0, 0, 1], "an empty short poll proves nothing, and a long one follows"
    assert feed().drained_to < feed().polled_at


def test_a_full_queue_is_announced_before_its_end_when_that_takes_long(messaging, reached, monkeypatch):
    monkeypatch.setattr(poll, "ANNOUNCED_WITHIN", timedelta(0))
    monkeypatch.setattr(queue, "GATHERED", queue.BATCH)
    fill(2 * queue.BATCH)
    assert poll_once(seconds=1) == IngestCounts(quotes=2 * queue.BATCH)
    announced = [name for name in reached.names if name in {"ingest.committed", "ingest.announced"}]
    assert announced[:4] == ["ingest.committed", "ingest.announced"] * 2


def test_a_poll_whose_time_is_over_is_announced_and_leaves_the_rest(messaging, reached, monkeypatch):
    monkeypatch.setattr(poll, "ANNOUNCED_WITHIN", timedelta(seconds=60))
    monkeypatch.setattr(queue, "GATHERED", queue.BATCH)
    fill(queue.BATCH + 1)
    assert poll_once() == IngestCounts(quotes=queue.BATCH)
    assert reached.names[-1] == "ingest.announced"
    assert messaging.left(MOS_ESPA) == 1


def test_an_sns_envelope_is_read(messaging):
    send(json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(mos_espa_event())}))
    assert poll_once() == IngestCounts(quotes=1)


@pytest.mark.parametrize("point", ["ingest.received", "ingest.recorded"])
def test_a_crash_before_the_commit_loses_nothing(messaging, reached, settings, point):
    settings.SQS_VISIBILITY_SECONDS = 1
    send(json.dumps(mos_espa_event()))
    reached.fail[point] = RuntimeError("power cut")
    with pytest.raises(RuntimeError):
        poll_once()
    assert PriceQuote.objects.count() == 0
    assert feed().in_flight_until > clock.now()
    assert poll_once(seconds=2) == IngestCounts(quotes=1)
    assert (messaging.left(MOS_ESPA), feed().received) == (0, 1)


@pytest.mark.parametrize("point", ["ingest.committed", "ingest.announced"])
def test_a_crash_before_the_deletion_doubles_nothing(messaging, reached, settings, point):
    settings.SQS_VISIBILITY_SECONDS = 1
    send(json.dumps(mos_espa_event()))
    reached.fail[point] = RuntimeError("power cut")
    with pytest.raises(RuntimeError):
        poll_once()
    assert PriceQuote.objects.count() == 1
    assert poll_once(seconds=2) == IngestCounts(duplicates=1)
    assert (messaging.left(MOS_ESPA), PriceQuote.objects.count()) == (0, 1)


def test_an_empty_receive_proves_nothing_while_a_crashed_poller_may_hide_messages(messaging, reached):
    send(json.dumps(mos_espa_event()))
    reached.fail["ingest.received"] = RuntimeError("power cut")
    with pytest.raises(RuntimeError):
        poll_once()
    assert poll_once() == IngestCounts()
    assert feed().drained_to is None


def test_two_pollers_at_once_record_everything_once(messaging, monkeypatch):
    monkeypatch.setattr(polling_lock.PollingLock, "renew", lambda self: True)
    for number in range(40):
        send(json.dumps(mos_espa_event(f"e{number % 20}")))
    found, barrier = [], threading.Barrier(2)

    def work():
        barrier.wait()
        try:
            found.append(poll_once(seconds=2))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] + found[1] == IngestCounts(quotes=20, duplicates=20)
    assert (feed().received, PriceQuote.objects.count(), messaging.left(MOS_ESPA)) == (40, 20, 0)
