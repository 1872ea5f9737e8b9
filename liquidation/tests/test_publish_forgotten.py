"""The topic of events is gone with an emulator that forgets: its subscribers make it again first."""

import pytest

from coruscant import aws, clock, missing
from liquidation import publish
from liquidation.models import LiquidationEvent
from liquidation.publish import EventNotSent
from liquidation.sell import sell
from local.simulators.messaging import subscribe_queue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.system]


@pytest.fixture
def settled(claimed, markets, emulator):
    liquidation = claimed("25")
    sell(liquidation.pk)
    return liquidation


def send(liquidation):
    LiquidationEvent.objects.update(due_at=clock.now())
    return publish.publish(liquidation.pk)


def topics():
    return [topic["TopicArn"].rpartition(":")[2] for topic in aws.sns().list_topics()["Topics"]]


def test_an_event_waits_for_a_subscriber_to_come_back(settled, emulator):
    with pytest.raises(EventNotSent):
        send(settled)
    assert (topics(), missing.names()) == ([], [aws.LIQUIDATION_TOPIC])
    url = subscribe_queue(emulator.endpoint_url, aws.LIQUIDATION_TOPIC, "branch")
    assert send(settled)
    (message,) = aws.sqs().receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == LiquidationEvent.objects.get().body


def test_a_topic_to_which_nobody_comes_back_is_made_again_after_a_while(settled):
    for _attempt in range(7):
        with pytest.raises(EventNotSent):
            send(settled)
        assert topics() == []
    with pytest.raises(EventNotSent):
        send(settled)
    assert (topics(), missing.names()) == ([aws.LIQUIDATION_TOPIC], [])
    assert send(settled)


def test_in_aws_itself_no_topic_is_made_unasked(settled, settings):
    settings.PROVISION_AGAIN = False
    for _attempt in range(10):
        with pytest.raises(EventNotSent):
            send(settled)
    assert topics() == []
