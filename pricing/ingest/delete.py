"""Deleting messages from their queue, once what they say is committed."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from coruscant import aws
from pricing.feeds import FeedSource
from pricing.ingest.queue import BATCH, QueueMissing, queue_url

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

log = structlog.get_logger(__name__)


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
