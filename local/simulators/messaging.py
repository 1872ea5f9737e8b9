"""SNS and SQS for the simulators: clients, and a queue that is subscribed to a topic."""

import json
import os
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# The simulators retry, and log that, themselves: so no retries and short time-outs here.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"total_max_attempts": 1},
    parameter_validation=False,
)


def region() -> str:
    """The AWS region of the environment."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def sns_client(endpoint: str) -> "SNSClient":
    """Make an SNS client; credentials come from the usual environment."""
    return boto3.client("sns", endpoint_url=endpoint, region_name=region(), config=_CONFIG)


def sqs_client(endpoint: str) -> "SQSClient":
    """Make an SQS client; credentials come from the usual environment."""
    return boto3.client("sqs", endpoint_url=endpoint, region_name=region(), config=_CONFIG)


def subscribe_queue(endpoint: str, topic: str, queue: str) -> str:
    """Subscribe a queue to a topic with raw delivery; return the queue's URL.

    Creates what is missing of topic, queue, policy and subscription; harmless to repeat.
    """
    sns, sqs = sns_client(endpoint), sqs_client(endpoint)
    topic_arn = sns.create_topic(Name=topic)["TopicArn"]
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(topic_arn, arn)})
    sns.subscribe(
        TopicArn=topic_arn,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"RawMessageDelivery": "true"},
        ReturnSubscriptionArn=True,
    )
    return url


def _policy(topic_arn: str, queue_arn: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "TopicMaySend",
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
                }
            ],
        }
    )
