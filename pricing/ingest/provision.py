"""Topics, queues and subscriptions: made or brought up to date, any number of times.

The price topics belong to the markets, and creating one that exists is harmless. The queues, their dead-letter queues,
policies and subscriptions are ours, and so is the topic that all branches hear liquidations from.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from coruscant import aws
from pricing.feeds import FEEDS, FeedSource

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

log = structlog.get_logger(__name__)

_DAY = 24 * 3600
# A price of four days ago moves nothing, but shows in the figures that it was there.
_RETENTION_SECONDS = 4 * _DAY
# As long as SQS keeps anything: somebody must look at what is here.
_DEAD_LETTER_RETENTION_SECONDS = 14 * _DAY
# Recording refuses no message for what it holds; one received so often could never be recorded or deleted.
_MAX_RECEIVES = 10


def provision() -> Iterator[str]:
    """Make everything there is to make; yields one line for each thing as it is done. Raises what AWS raises."""
    aws.sns().create_topic(Name=aws.LIQUIDATION_TOPIC)
    yield f"topic {aws.LIQUIDATION_TOPIC}: ready"
    for source in FEEDS.values():
        yield from _provision_feed(source)


def _provision_feed(source: FeedSource) -> Iterator[str]:
    topic_arn = aws.sns().create_topic(Name=source.topic)["TopicArn"]
    yield f"topic {source.topic}: ready"
    dead, done = _ensure_queue(
        source.dead_letter_queue, {"MessageRetentionPeriod": str(_DEAD_LETTER_RETENTION_SECONDS)}
    )
    yield f"queue {source.dead_letter_queue}: {done}"
    url, done = _ensure_queue(source.queue, {})
    arn = _arn(url)
    changed = _bring_up_to_date(
        url,
        {
            "VisibilityTimeout": str(settings.SQS_VISIBILITY_SECONDS),
            "MessageRetentionPeriod": str(_RETENTION_SECONDS),
            "ReceiveMessageWaitTimeSeconds": str(aws.MAX_WAIT_SECONDS),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": _arn(dead), "maxReceiveCount": _MAX_RECEIVES}),
            "Policy": _policy(topic_arn, arn),
        },
    )
    yield f"queue {source.queue}: {done if done == 'made' else changed}"
    yield f"subscription of {source.queue} to {source.topic}: {_subscribe(topic_arn, arn)}"


def _ensure_queue(name: str, attributes: "dict[QueueAttributeNameType, str]") -> tuple[str, str]:
    """The queue's URL, and what was done. A queue is made without attributes: with others it would be an error."""
    client = aws.sqs()
    try:
        url, done = client.get_queue_url(QueueName=name)["QueueUrl"], ""
    except client.exceptions.QueueDoesNotExist:
        url, done = client.create_queue(QueueName=name)["QueueUrl"], "made"
    changed = _bring_up_to_date(url, attributes)
    return url, done or changed


def _bring_up_to_date(url: str, wanted: "dict[QueueAttributeNameType, str]") -> str:
    """Set the attributes that differ; returns what was done."""
    client = aws.sqs()
    present = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    differing = {name: value for name, value in wanted.items() if not _same(present.get(name), value)}
    if not differing:
        return "up to date"
    client.set_queue_attributes(QueueUrl=url, Attributes=differing)
    log.info("queue_updated", url=url, attributes=sorted(differing))
    return f"updated {', '.join(sorted(differing))}"


def _same(present: str | None, wanted: str) -> bool:
    """Whether two attributes mean the same; policies are JSON, which AWS may print in another form."""
    if present == wanted:
        return True
    try:
        return present is not None and _normal(json.loads(present)) == _normal(json.loads(wanted))
    except ValueError:
        return False


def _normal(value: object) -> object:
    """JSON with every scalar as text, since AWS returns some numbers as strings."""
    if isinstance(value, dict):
        return {key: _normal(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_normal(entry) for entry in value]
    return str(value)


def _arn(url: str) -> str:
    return aws.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


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
    """Have the queue hear the topic with raw delivery; returns what was done.

    An existing subscription is returned by SNS as it is, so raw delivery is set afterwards in any case.
    """
    client = aws.sns()
    arn = client.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn, ReturnSubscriptionArn=True)[
        "SubscriptionArn"
    ]
    before = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"].get("RawMessageDelivery")
    if before == "true":
        return "up to date"
    client.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    return "set to raw delivery"
