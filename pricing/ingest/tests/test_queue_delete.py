"""Deleting recorded messages, and what happens to those that cannot be deleted."""

import json

import pytest
import structlog
from botocore.exceptions import EndpointConnectionError
from botocore.parsers import ResponseParserError

from coruscant import aws, clock
from pricing.feeds import FEEDS
from pricing.ingest.queue import delete
from pricing.ingest.record import IngestCounts
from pricing.ingest.tests.support import poll_once, record_messages, send
from pricing.models import PriceQuote
from pricing.tests.builders import MOS_ESPA, mos_espa_event

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_message_without_a_receipt_is_recorded_and_not_deleted(messaging):
    source = FEEDS[MOS_ESPA]
    delete(source, [{"MessageId": "m"}])
    assert record_messages({"MessageId": "m"}, now=clock.now()) == IngestCounts(rejected=1)
