"""Receiving from SQS queues, and deleting what is recorded.

Queues go by their names; their URLs are looked up once a process, and again when one is missing.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from coruscant import aws
from pricing.feeds import FeedSource

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

log = structlog.get_logger(__name__)

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


@lru_cache
def queue_url(name: str) -> str:
    """The URL of a queue. Raises QueueMissing."""
    client = aws.sqs()
    try:
        return client.get_queue_url(QueueName=name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        raise QueueMissing(name) from None


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
    client = aws.sqs()
    for _attempt in (1, 2):
        try:
            return client.receive_message(
                QueueUrl=queue_url(source.queue),
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=settings.SQS_VISIBILITY_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
        except client.exceptions.QueueDoesNotExist:
            queue_url.cache_clear()  # it may have been made anew
    raise QueueMissing(source.queue)


def delete(source: FeedSource, messages: "Sequence[MessageTypeDef]") -> None:
    """Delete recorded messages. Those that cannot be deleted are logged; they come again, as duplicates."""
    entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
        {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
        for index, message in enumerate(messages)
        if message.get("ReceiptHandle")
    ]
    with suppress(QueueMissing):
        for _attempt in (1, 2):
            failed: set[str] = set()
            for first in range(0, len(entries), BATCH):
                failed |= _delete_batch(queue_url(source.queue), entries[first : first + BATCH])
            entries = [entry for entry in entries if entry["Id"] in failed]
    if entries:
        log.warning("messages_not_deleted", market=source.market.value, count=len(entries))


def _delete_batch(url: str, entries: "Sequence[DeleteMessageBatchRequestEntryTypeDef]") -> set[str]:
    """Delete a batch; returns the ids of the entries that failed."""
    try:
        answer = aws.sqs().delete_message_batch(QueueUrl=url, Entries=entries)
    except aws.FAILURES as error:
        log.warning("delete_failed", error=str(error))
        return {entry["Id"] for entry in entries}
    return {entry["Id"] for entry in answer.get("Failed", [])}
