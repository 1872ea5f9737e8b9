"""Receiving from queues: in a row while they are full, and when they are missing."""

import itertools

import pytest
import structlog
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from coruscant import aws, clock
from pricing.feeds import FEEDS
from pricing.ingest import queue
from pricing.ingest.record import IngestCounts
from pricing.ingest.tests.support import feed, fill, poll_once
from pricing.models import PriceQuote
from pricing.tests.builders import MOS_ESPA

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = FEEDS[MOS_ESPA].queue


def test_what_several_receives_bring_is_recorded_in_one_transaction_and_deleted(messaging, reached):
    fill(2 * queue.BATCH + 3)
    assert poll_once(seconds=1) == IngestCounts(quotes=2 * queue.BATCH + 3)
    assert reached.names.count("ingest.recorded") == 2, "the quotes, and the empty receive"
    assert messaging.left(MOS_ESPA) == 0


def test_no_more_is_gathered_than_one_transaction_shall_hold(messaging, reached, monkeypatch):
    monkeypatch.setattr(queue, "GATHERED", 2 * queue.BATCH)
    fill(3 * queue.BATCH)
    assert poll_once(seconds=1) == IngestCounts(quotes=3 * queue.BATCH)
    assert reached.names.count("ingest.recorded") == 3
    assert messaging.left(MOS_ESPA) == 0


def test_where_receiving_is_slow_a_price_does_not_wait_for_those_behind_it(messaging, reached, monkeypatch):
    monkeypatch.setattr(queue, "GATHERED_WITHIN_SECONDS", 0.0)
    fill(2 * queue.BATCH)
    assert poll_once(seconds=1) == IngestCounts(quotes=2 * queue.BATCH)
    assert reached.names[: reached.names.index("ingest.announced")].count("ingest.recorded") == 2
    assert messaging.left(MOS_ESPA) == 0


def test_a_receive_that_fails_loses_nothing_of_those_before_it(messaging, monkeypatch):
    receive, calls = queue.receive, itertools.count(1)

    def failing(source, wait):
        if next(calls) == 2:
            raise EndpointConnectionError(endpoint_url="http://sqs")
        return receive(source, wait)

    monkeypatch.setattr(queue, "receive", failing)
    fill(queue.BATCH + 1)
    with pytest.raises(EndpointConnectionError):
        poll_once()
    assert (PriceQuote.objects.count(), messaging.left(MOS_ESPA)) == (queue.BATCH, 1)
    assert feed().in_flight_until > clock.now(), "the answer that was lost may have held messages"


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
    queue.queue_url.cache_clear()


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


def test_a_receive_that_fails_is_logged_with_its_market_and_proves_nothing(messaging):
    wanted = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 1, "VisibilityTimeout": 30}
    wanted |= {"MessageSystemAttributeNames": ["SentTimestamp"], "QueueUrl": queue.queue_url(QUEUE)}
    with Stubber(aws.sqs()) as stub, structlog.testing.capture_logs() as logs, pytest.raises(ClientError):  # noqa: PT012
        stub.add_client_error("receive_message", "InternalFailure", "try later", 500, expected_params=wanted)
        poll_once()
    (line,) = [log for log in logs if log["event"] == "prices_not_received"]
    assert (line["market"], line["queue"], "try later" in line["error"]) == ("mos_espa", QUEUE, True)
    assert (feed().drained_to, feed().received) == (None, 0)


def test_a_queue_that_was_deleted_is_missing(messaging):
    queue.queue_url(QUEUE)
    aws.sqs().delete_queue(QueueUrl=queue.queue_url(QUEUE))
    with structlog.testing.capture_logs() as logs:
        assert poll_once() == IngestCounts()
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["queue_missing"]
