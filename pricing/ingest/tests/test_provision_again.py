"""An SNS and SQS that comes back empty: provisioned again unasked if it is an emulator, and told of until then."""

import io
import json

import pytest
import structlog
from django.core.management import call_command

from coruscant import aws, missing
from pricing.feeds import FEEDS
from pricing.ingest.record import IngestCounts
from pricing.ingest.tests.support import poll_once
from pricing.models import PriceQuote
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, black_spire_event, mos_espa_event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.system]
EVENTS = {MOS_ESPA: mos_espa_event, BLACK_SPIRE: black_spire_event}


def publish(market, *name):
    arn = aws.sns().create_topic(Name=FEEDS[market].topic)["TopicArn"]
    aws.sns().publish(TopicArn=arn, Message=json.dumps(EVENTS[market](*name)))


def come_back_empty(emulator):
    emulator.kill()
    emulator.start()


def readiness(client):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    return answer.json()


def metrics(client):
    return [line for line in client.get("/metrics").content.decode().splitlines() if "messaging_missing{" in line]


def test_prices_arrive_again_after_the_emulator_has_forgotten_its_queues(emulator, client):
    call_command("provision_messaging", stdout=io.StringIO())
    publish(MOS_ESPA)
    assert poll_once() == IngestCounts(quotes=1)
    come_back_empty(emulator)

    with structlog.testing.capture_logs() as logs:
        assert {market: poll_once(market) for market in FEEDS} == dict.fromkeys(FEEDS, IngestCounts())
    assert [log["event"] for log in logs if log["log_level"] != "info"] == ["queue_missing", "provisioned_again"] * 2
    assert missing.names() == []
    assert readiness(client)["status"] == "ok"
    publish(MOS_ESPA, "another")
    publish(BLACK_SPIRE)
    for market in FEEDS:
        assert poll_once(market) == IngestCounts(quotes=1)
    assert PriceQuote.objects.count() == 3


@pytest.mark.parametrize("changed", [{"PROVISION_AGAIN": False}, {"AWS_ENDPOINT_URL": None}])
def test_aws_itself_is_left_alone_and_readiness_and_metrics_say_what_is_missing(emulator, client, settings, changed):
    aws.sqs(), aws.sns()  # the clients of this process, whatever the settings say from now on
    for name, value in changed.items():
        setattr(settings, name, value)
    queues = [FEEDS[market].queue for market in (BLACK_SPIRE, MOS_ESPA)]
    assert readiness(client)["status"] == "ok"
    for market in FEEDS:
        assert poll_once(market) == IngestCounts()

    assert aws.sqs().list_queues().get("QueueUrls", []) == []
    assert missing.names() == queues
    assert (readiness(client)["status"], readiness(client)["checks"]["messaging"]) == ("degraded", "failing")
    assert metrics(client) == [f'coruscant_messaging_missing{{name="{queue}"}} 1.0' for queue in queues]

    call_command("provision_messaging", stdout=io.StringIO())
    assert missing.names() == metrics(client) == []
    assert readiness(client)["status"] == "ok"
