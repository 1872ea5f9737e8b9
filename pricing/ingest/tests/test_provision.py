"""Topics, queues and subscriptions, set up any number of times."""

import io
import json

import pytest
from botocore.exceptions import EndpointConnectionError
from django.core.management import CommandError, call_command

from coruscant import aws
from pricing.feeds import FEEDS
from pricing.ingest import provision, queue

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_queues")]
SOURCES = list(FEEDS.values())


def run_provision():
    out = io.StringIO()
    call_command("provision_messaging", stdout=out)
    return out.getvalue().splitlines()


def attributes(name):
    return aws.sqs().get_queue_attributes(QueueUrl=queue.queue_url(name), AttributeNames=["All"])["Attributes"]


def subscriptions(topic):
    arn = aws.sns().create_topic(Name=topic)["TopicArn"]
    return aws.sns().list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]


def test_everything_is_made_and_then_left_alone():
    first, second = run_provision(), run_provision()
    assert first[0] == second[0] == "topic coruscant-bank-loan-liquidation-events: ready"
    assert [line.rpartition(": ")[2] for line in first[1:]] in (
        ["ready", "made", "made", "set to raw delivery"] * len(SOURCES),
        ["ready", "made", "made", "up to date"] * len(SOURCES),  # the subscription outlived its queue
    )
    left_alone = ["ready", "up to date", "up to date", "up to date"] * len(SOURCES)
    assert [line.rpartition(": ")[2] for line in second[1:]] == left_alone
    names = " ".join(second)
    for source in SOURCES:
        assert all(name in names for name in (source.topic, source.queue, source.dead_letter_queue))


@pytest.mark.parametrize("source", SOURCES)
def test_the_queues_are_as_agreed(source, settings):
    run_provision()
    found, dead = attributes(source.queue), attributes(source.dead_letter_queue)
    assert found["VisibilityTimeout"] == str(settings.SQS_VISIBILITY_SECONDS)
    assert json.loads(found["RedrivePolicy"]) == {"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 10}
    assert int(dead["MessageRetentionPeriod"]) > int(found["MessageRetentionPeriod"])
    (statement,) = json.loads(found["Policy"])["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", found["QueueArn"])
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"].endswith(f":{source.topic}")
    (subscription,) = [one for one in subscriptions(source.topic) if one["Endpoint"] == found["QueueArn"]]
    answer = aws.sns().get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])
    assert answer["Attributes"]["RawMessageDelivery"] == "true"


def test_an_existing_queue_with_other_attributes_is_updated():
    source = SOURCES[0]
    aws.sqs().create_queue(QueueName=source.queue, Attributes={"VisibilityTimeout": "7", "Policy": "not JSON"})
    assert f"queue {source.queue}: updated" in "\n".join(run_provision())
    assert attributes(source.queue)["VisibilityTimeout"] == "30"


def test_a_subscription_with_envelopes_is_set_to_raw_delivery():
    source = SOURCES[0]
    run_provision()
    (found,) = [one for one in subscriptions(source.topic) if one["Endpoint"] == attributes(source.queue)["QueueArn"]]
    aws.sns().set_subscription_attributes(
        SubscriptionArn=found["SubscriptionArn"], AttributeName="RawMessageDelivery", AttributeValue="false"
    )
    assert f"subscription of {source.queue} to {source.topic}: set to raw delivery" in run_provision()
    assert len(subscriptions(source.topic)) == 1


def test_an_endpoint_that_cannot_be_reached_ends_in_one_sentence(monkeypatch):
    def refuse():
        raise EndpointConnectionError(endpoint_url="http://gone")
        yield

    monkeypatch.setattr(provision, "provision", refuse)
    with pytest.raises(CommandError, match="could not be provisioned"):
        run_provision()
