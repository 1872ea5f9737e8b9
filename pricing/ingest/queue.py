"""Receiving from SQS queues by their names; their URLs are looked up once a process, and again when one is missing."""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from coruscant import aws
from pricing.feeds import FeedSource

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

#: As many messages as SQS hands out, or deletes, at once.
BATCH = 10
#: While the queue is full, up to so many messages are received before they are recorded in one transaction …
GATHERED = 200
#: … unless that takes longer: where SQS is slow, a price must not wait for those behind it.
GATHERED_WITHIN_SECONDS = 0.2


class QueueMissing(LookupError):
    """There is no queue of this name: `manage.py provision_messaging` makes it."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Messages received in a row, and whether the queue still seems to be full.

    `failure` is what a receive raised after these; they are to be recorded first.
    """

    messages: "list[MessageTypeDef]"
    queue_is_full: bool
    failure: Exception | None = None


def queue_url(name: str) -> str:
    """The URL of a queue. Raises QueueMissing."""
    return _url(settings.AWS_ENDPOINT_URL, name)


def forget_urls() -> None:
    """Look every URL up again when it is next needed, since a queue was not where it had been."""
    _url.cache_clear()


def gather(source: FeedSource, wait_seconds: int) -> Gathered:
    """What one receive brings and, while the queue is full, what further ones bring at once, within bounds.

    Only the first one waits. A failure to receive is part of the result. Raises QueueMissing if there is no queue and
    nothing has been received from it.
    """
    messages: list[MessageTypeDef] = []
    try:
        batch = messages = receive(source, wait_seconds)
        end = time.monotonic() + GATHERED_WITHIN_SECONDS
        while len(batch) == BATCH and len(messages) < GATHERED and time.monotonic() < end:
            batch = receive(source, 0)
            messages = [*messages, *batch]
    except QueueMissing:
        if not messages:
            raise
        return Gathered(messages, queue_is_full=False)
    except aws.FAILURES as error:
        return Gathered(messages, queue_is_full=False, failure=error)
    return Gathered(messages, queue_is_full=len(batch) == BATCH)


def receive(source: FeedSource, wait_seconds: int) -> "list[MessageTypeDef]":
    """Up to ten messages, hidden from other receivers for SQS_VISIBILITY_SECONDS.

    Raises QueueMissing if there is no queue, even after its URL was looked up again; and what SQS raises.
    """
    for attempt in (1, 2):
        client, url = aws.sqs(), queue_url(source.queue)
        try:
            answer = client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=settings.SQS_VISIBILITY_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
        except client.exceptions.QueueDoesNotExist:
            forget_urls()
            if attempt == 1:
                continue
            break
        return answer.get("Messages", [])
    raise QueueMissing(source.queue)


@lru_cache
def _url(_endpoint: str | None, name: str) -> str:
    client = aws.sqs()
    try:
        return client.get_queue_url(QueueName=name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        raise QueueMissing(name) from None
