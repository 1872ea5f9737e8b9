"""Making topics, queues and subscriptions, or bringing them up to date. May be run any number of times.

The price topics belong to the markets, and creating one that exists is harmless. The queues, their dead-letter queues,
policies and subscriptions are ours, and so is the topic of liquidation events, to which all branches subscribe.
"""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from coruscant import aws, missing
from pricing.feeds import FEEDS, FeedSource

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

log = structlog.get_logger(__name__)

_DAY = 24 * 3600
# A price of four days ago triggers nothing, but it is counted and visible.
_RETENTION_SECONDS = 4 * _DAY
# The longest that SQS allows: a person must look at these.
_DEAD_LETTER_RETENTION_SECONDS = 14 * _DAY
# No message is refused for its content. One that was received this often could never be recorded or deleted.
_MAX_RECEIVES = 10


def provision() -> Iterator[str]:
    """Make whatever is missing or differs; yields a line for each thing once it is done. Raises what AWS raises."""
    aws.sns().create_topic(Name=aws.LIQUIDATION_TOPIC)
    missing.forget(aws.LIQUIDATION_TOPIC)
    yield f"topic {aws.LIQUIDATION_TOPIC}: ready"
    for source in FEEDS.values():
        yield from _provision_feed(source)


def provision_again(source: FeedSource) -> None:
    """Make a feed's topic, queues and subscription again if SNS and SQS forget them; otherwise that takes a person."""
    if aws.forgets():
        log.warning("provisioned_again", queue=source.queue, done=list(_provision_feed(source)))


def _provision_feed(source: FeedSource) -> Iterator[str]:
    topic_arn = aws.sns().create_topic(Name=source.topic)["TopicArn"]
    yield f"topic {source.topic}: ready"
    dead, done = _ensure_queue(
        source.dead_letter_queue, lambda _arn: {"MessageRetentionPeriod": str(_DEAD_LETTER_RETENTION_SECONDS)}
    )
    yield f"queue {source.dead_letter_queue}: {done}"
    queue, done = _ensure_queue(
        source.queue,
        lambda arn: {
            "VisibilityTimeout": str(settings.SQS_VISIBILITY_SECONDS),
            "MessageRetentionPeriod": str(_RETENTION_SECONDS),
            "ReceiveMessageWaitTimeSeconds": str(aws.MAX_WAIT_SECONDS),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": _MAX_RECEIVES}),
            "Policy": _policy(topic_arn, arn),
        },
    )
    yield f"queue {source.queue}: {done}"
    yield f"subscription of {source.queue} to {source.topic}: {_subscribe(topic_arn, queue)}"
    missing.forget(source.queue)


def _ensure_queue(name: str, attributes: "Callable[[str], dict[QueueAttributeNameType, str]]") -> tuple[str, str]:
    """The queue's ARN, and what was done, in words. `attributes` are wanted of a queue of that ARN.

    A queue is made without attributes: creating one that exists with other attributes is an error.
    """
    client, done = aws.sqs(), "up to date"
    try:
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        url, done = client.create_queue(QueueName=name)["QueueUrl"], "made"
    present = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    wanted = attributes(present["QueueArn"])
    differing = {name: value for name, value in wanted.items() if not _same(present.get(name, ""), value)}
    if differing:
        client.set_queue_attributes(QueueUrl=url, Attributes=differing)
        log.info("queue_updated", url=url, attributes=sorted(differing))
        done = done if done == "made" else f"updated {', '.join(sorted(differing))}"
    return present["QueueArn"], done


def _same(present: str, wanted: str) -> bool:
    """Whether two attributes mean the same: AWS may format JSON in another way, and return its numbers as text."""
    try:
        return bool(json.loads(present, parse_int=str) == json.loads(wanted, parse_int=str))
    except ValueError:
        return False


def _policy(topic_arn: str, queue_arn: str) -> str:
    """Only the market's topic may send to the queue."""
    statement = {
        "Sid": "OnlyTheMarketsTopicMaySend",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _subscribe(topic_arn: str, queue_arn: str) -> str:
    """Subscribe the queue to the topic with raw delivery; returns what was done, in words.

    SNS returns an existing subscription as it is, so raw delivery is always looked at and set separately.
    """
    client = aws.sns()
    found = client.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, ReturnSubscriptionArn=True)
    arn = found["SubscriptionArn"]
    before = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"].get("RawMessageDelivery")
    if before == "true":
        return "up to date"
    client.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    return "set to raw delivery"
