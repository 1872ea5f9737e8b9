"""Polling real queues: what is received is recorded, and only then deleted."""

import itertools
import json
import threading
import time
from datetime import timedelta
from uuid import uuid4

import pytest
import structlog
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber
from django.db import OperationalError, connection

from coruscant import aws, clock, enqueue
from pricing import tasks
from pricing.feeds import FEEDS
from pricing.ingest import poll, polling_lock, queue
from pricing.ingest.record import IngestCounts
from pricing.models import Feed, PriceQuote, RejectedMessage
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, black_spire_event, mos_espa_event

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = FEEDS[MOS_ESPA].queue


def poll_once(market=MOS_ESPA, seconds=0):
    return poll.poll(market, seconds=seconds, wait_seconds=1)


def feed(market=MOS_ESPA):
    return Feed.objects.get(market=market)


def send(body, market=MOS_ESPA):
    aws.sqs().send_message(QueueUrl=queue.queue_url(FEEDS[market].queue), MessageBody=body)


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


def test_an_empty_poll_moves_the_feed(messaging):
    assert poll_once() == IngestCounts()
    first = feed().drained_to
    assert poll_once() == IngestCounts()
    assert first < feed().drained_to


def test_a_poll_goes_on_until_its_time_is_over(messaging):
    for number in range(23):
        send(json.dumps(mos_espa_event(f"e{number}")))
    assert poll_once(seconds=1) == IngestCounts(quotes=23)
    assert messaging.left(MOS_ESPA) == 0


def test_a_full_queue_is_announced_at_its_end_and_nothing_waits_while_there_are_news(messaging, reached, monkeypatch):
    waits, receive = [], poll._receive
    monkeypatch.setattr(poll, "_receive", lambda source, wait: waits.append(wait) or receive(source, wait))
    monkeypatch.setattr(poll, "ANNOUNCED_WITHIN", timedelta(seconds=60))
    monkeypatch.setattr(poll, "GATHERED", poll.BATCH)
    for number in range(2 * poll.BATCH):
        send(json.dumps(mos_espa_event(f"e{number}")))
    assert poll_once(seconds=1) == IngestCounts(quotes=2 * poll.BATCH)
    told = [name for name in reached.names if name in {"ingest.committed", "ingest.announced"}]
    assert told[:3] == ["ingest.committed", "ingest.committed", "ingest.announced"]
    assert waits[:4] == [1, 0, 0, 1], "an empty short poll proves nothing, and a long one follows"
    assert feed().drained_to < feed().polled_at


def test_a_full_queue_is_announced_before_its_end_when_that_takes_long(messaging, reached, monkeypatch):
    monkeypatch.setattr(poll, "ANNOUNCED_WITHIN", timedelta(0))
    monkeypatch.setattr(poll, "GATHERED", poll.BATCH)
    for number in range(2 * poll.BATCH):
        send(json.dumps(mos_espa_event(f"e{number}")))
    assert poll_once(seconds=1) == IngestCounts(quotes=2 * poll.BATCH)
    told = [name for name in reached.names if name in {"ingest.committed", "ingest.announced"}]
    assert told[:4] == ["ingest.committed", "ingest.announced"] * 2


def test_a_poll_whose_time_is_over_is_announced_and_leaves_the_rest(messaging, reached, monkeypatch):
    monkeypatch.setattr(poll, "ANNOUNCED_WITHIN", timedelta(seconds=60))
    monkeypatch.setattr(poll, "GATHERED", poll.BATCH)
    for number in range(poll.BATCH + 1):
        send(json.dumps(mos_espa_event(f"e{number}")))
    assert poll_once() == IngestCounts(quotes=poll.BATCH)
    assert reached.names[-1] == "ingest.announced"
    assert messaging.left(MOS_ESPA) == 1


def fill(count):
    for number in range(count):
        send(json.dumps(mos_espa_event(f"e{number}")))


def test_what_several_receives_bring_is_recorded_at_once_and_all_of_it_deleted(messaging, reached):
    fill(2 * poll.BATCH + 3)
    assert poll_once(seconds=1) == IngestCounts(quotes=2 * poll.BATCH + 3)
    assert reached.names.count("ingest.recorded") == 2, "the quotes, and the empty receive"
    assert messaging.left(MOS_ESPA) == 0


def test_no_more_is_gathered_than_one_transaction_shall_hold(messaging, reached, monkeypatch):
    monkeypatch.setattr(poll, "GATHERED", 2 * poll.BATCH)
    fill(3 * poll.BATCH)
    assert poll_once(seconds=1) == IngestCounts(quotes=3 * poll.BATCH)
    assert reached.names.count("ingest.recorded") == 3
    assert messaging.left(MOS_ESPA) == 0


def test_where_receiving_is_slow_a_price_does_not_wait_for_those_behind_it(messaging, reached, monkeypatch):
    monkeypatch.setattr(poll, "GATHERED_WITHIN_SECONDS", 0.0)
    fill(2 * poll.BATCH)
    assert poll_once(seconds=1) == IngestCounts(quotes=2 * poll.BATCH)
    assert reached.names[: reached.names.index("ingest.announced")].count("ingest.recorded") == 2
    assert messaging.left(MOS_ESPA) == 0


def test_a_receive_that_fails_loses_nothing_of_those_before_it(messaging, monkeypatch):
    receive, calls = poll._receive, itertools.count(1)

    def failing(source, wait):
        if next(calls) == 2:
            raise EndpointConnectionError(endpoint_url="http://sqs")
        return receive(source, wait)

    monkeypatch.setattr(poll, "_receive", failing)
    fill(poll.BATCH + 1)
    with pytest.raises(EndpointConnectionError):
        poll_once()
    assert (PriceQuote.objects.count(), messaging.left(MOS_ESPA)) == (poll.BATCH, 1)
    assert feed().in_flight_until > clock.now(), "its answer may be what was lost"


def test_an_envelope_is_understood(messaging):
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


def test_nothing_is_proved_while_a_crashed_poller_may_hide_messages(messaging, reached):
    send(json.dumps(mos_espa_event()))
    reached.fail["ingest.received"] = RuntimeError("power cut")
    with pytest.raises(RuntimeError):
        poll_once()
    assert poll_once() == IngestCounts()
    assert feed().drained_to is None


# --- deleting ---


@pytest.fixture
def deleting(monkeypatch):
    """Answer delete_message_batch from a list; None = really do it."""
    answers, calls = [], []
    client = aws.sqs()
    original = client.delete_message_batch

    def delete(**arguments):
        calls.append([entry["Id"] for entry in arguments["Entries"]])
        answer = answers.pop(0) if answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer or original(**arguments)

    monkeypatch.setattr(client, "delete_message_batch", delete)
    return answers, calls


def failed(*ids):
    return {"Failed": [{"Id": name, "Code": "InternalError", "SenderFault": False} for name in ids]}


def test_a_deletion_that_fails_is_tried_again(messaging, deleting):
    answers, calls = deleting
    answers.append(failed("0"))
    send(json.dumps(mos_espa_event()))
    assert poll_once() == IngestCounts(quotes=1)
    assert (calls, messaging.left(MOS_ESPA)) == ([["0"], ["0"]], 0)


@pytest.mark.parametrize(
    "error",
    [
        failed("0"),
        EndpointConnectionError(endpoint_url="http://gone"),
        ResponseParserError("internal server error"),
    ],
)
def test_a_message_that_cannot_be_deleted_comes_again_as_a_duplicate(messaging, deleting, settings, error):
    settings.SQS_VISIBILITY_SECONDS = 1
    answers, _ = deleting
    answers += [error, error]
    send(json.dumps(mos_espa_event()))
    with structlog.testing.capture_logs() as logs:
        assert poll_once() == IngestCounts(quotes=1)
    assert [log["count"] for log in logs if log["event"] == "messages_not_deleted"] == [1]
    assert poll_once(seconds=2) == IngestCounts(duplicates=1)
    assert (messaging.left(MOS_ESPA), PriceQuote.objects.count()) == (0, 1)


def test_a_message_without_a_receipt_is_recorded_and_left(messaging):
    source = FEEDS[MOS_ESPA]
    poll._delete(source, [{"MessageId": "m"}])
    assert poll.record_messages(MOS_ESPA, [{"MessageId": "m"}], clock.now()) == IngestCounts(rejected=1)


# --- queues that are missing ---


def test_a_missing_queue_ends_the_poll_with_a_clear_event(no_queues, clean_cache):
    with structlog.testing.capture_logs() as logs:
        assert poll_once() == IngestCounts()
    assert [log["queue"] for log in logs if log["event"] == "queue_missing"] == [QUEUE]
    assert (feed().drained_to, feed().poller) == (None, None)


@pytest.fixture
def answers(messaging):
    """SQS answers of the test's own: receives that find no queue, and the URL found on looking again."""
    wanted = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 1, "VisibilityTimeout": 30}
    wanted["MessageSystemAttributeNames"] = ["SentTimestamp"]
    url = queue.queue_url(QUEUE)
    with Stubber(aws.sqs()) as stub:
        stub.add_client_error("receive_message", "QueueDoesNotExist", expected_params=wanted | {"QueueUrl": url})
        stub.add_response("get_queue_url", {"QueueUrl": "http://new"}, {"QueueName": QUEUE})
        yield stub, wanted | {"QueueUrl": "http://new"}
        stub.assert_no_pending_responses()
    queue.forget_urls()


def test_a_queue_that_was_made_again_is_found_again(answers):
    stub, wanted = answers
    stub.add_response("receive_message", {}, wanted)
    assert poll_once() == IngestCounts()
    assert feed().drained_to is not None


def test_a_queue_found_by_name_but_gone_is_missing(answers):
    stub, wanted = answers
    stub.add_client_error("receive_message", "QueueDoesNotExist", expected_params=wanted)
    with structlog.testing.capture_logs() as logs:
        assert poll_once() == IngestCounts()
    assert "queue_missing" in [log["event"] for log in logs]
    assert feed().drained_to is None


def test_a_receive_that_fails_is_told_with_its_market_and_proves_nothing(messaging):
    wanted = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 1, "VisibilityTimeout": 30}
    wanted |= {"MessageSystemAttributeNames": ["SentTimestamp"], "QueueUrl": queue.queue_url(QUEUE)}
    with Stubber(aws.sqs()) as stub, structlog.testing.capture_logs() as logs, pytest.raises(ClientError):  # noqa: PT012
        stub.add_client_error("receive_message", "InternalFailure", "try later", 500, expected_params=wanted)
        poll_once()
    (told,) = [log for log in logs if log["event"] == "prices_not_received"]
    assert (told["market"], told["queue"], "try later" in told["error"]) == ("mos_espa", QUEUE, True)
    assert (feed().drained_to, feed().received) == (None, 0)


def test_a_queue_that_stays_away_is_missing(messaging):
    queue.queue_url(QUEUE)
    aws.sqs().delete_queue(QueueUrl=queue.queue_url(QUEUE))
    with structlog.testing.capture_logs() as logs:
        assert poll_once() == IngestCounts()
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["queue_missing"]


# --- one poller at a time ---


def test_a_second_poller_does_nothing(messaging):
    send(json.dumps(mos_espa_event()))
    with polling_lock.held(MOS_ESPA, wait_seconds=5) as lock:
        assert lock.renewed()
        assert poll_once() == IngestCounts()
        assert lock.renewed()
        assert poll_once(BLACK_SPIRE) == IngestCounts()
        lock.all_recorded()
    assert poll_once() == IngestCounts(quotes=1)


def test_a_lock_that_expired_is_taken_over_and_proves_nothing_yet(messaging, settings):
    past = clock.now() - timedelta(seconds=1)
    Feed.objects.create(market=MOS_ESPA, poller=uuid4(), polled_until=past)
    send(json.dumps(mos_espa_event()))
    assert poll_once() == IngestCounts(quotes=1)
    assert feed().drained_to is None
    hidden = feed().in_flight_until - past
    assert hidden > timedelta(seconds=settings.SQS_VISIBILITY_SECONDS)


def test_a_poller_whose_lock_was_taken_stops_and_releases_nothing(messaging):
    other = uuid4()
    with polling_lock.held(MOS_ESPA, wait_seconds=5) as lock:
        assert lock.renewed()
        Feed.objects.update(poller=other)
        assert not lock.renewed()
        lock.all_recorded()
    assert feed().poller == other


def test_two_pollers_at_once_record_everything_once(messaging, monkeypatch):
    monkeypatch.setattr(polling_lock.PollingLock, "renewed", lambda self: True)
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


# --- the task ---


def test_the_task_polls_its_market(monkeypatch):
    polled = []
    monkeypatch.setattr(poll, "poll", polled.append)
    tasks.poll_prices(market="mos_espa")
    assert polled == [MOS_ESPA]


@pytest.mark.parametrize(("lasts", "rung"), [(0.1, 1), (0.0, 0)])
def test_a_poll_that_went_on_to_its_end_rings_for_the_next_and_one_that_found_another_does_not(
    monkeypatch, lasts, rung
):
    bells = []
    monkeypatch.setattr(poll, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(poll, "poll", lambda _market: time.sleep(lasts))
    monkeypatch.setattr(enqueue, "now", lambda bell, **options: bells.append((bell.task, bell.kwargs, options)))
    tasks.poll_prices(market="mos_espa")
    assert bells == [("pricing.poll_prices", {"market": "mos_espa"}, {"expires": 3})] * rung


def test_the_task_retries_only_what_passes_by_itself():
    assert issubclass(EndpointConnectionError, tasks.TRANSIENT)
    assert OperationalError in tasks.TRANSIENT
    assert not issubclass(ValueError, tasks.TRANSIENT)
    assert (tasks.poll_prices.name, tasks.prune_quotes.name) == ("pricing.poll_prices", "pricing.prune_quotes")
