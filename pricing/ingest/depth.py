"""How many messages wait in the price queues and their dead-letter queues, as SQS counts them, about."""

from coruscant import aws
from pricing.feeds import FEEDS
from pricing.ingest.queue import queue_url


def depths() -> dict[str, int]:
    """The messages that nobody has received yet, by queue. Raises QueueMissing, and what SQS raises."""
    return {
        name: _depth(name) for source in FEEDS.values() for name in (source.queue, source.dead_letter_queue)
    }  # fmt: skip


def _depth(name: str) -> int:
    client = aws.sqs()
    try:
        found = client.get_queue_attributes(
            QueueUrl=queue_url(name), AttributeNames=["ApproximateNumberOfMessages"]
        )  # fmt: skip
    except client.exceptions.QueueDoesNotExist:
        queue_url.cache_clear()  # it may have been made anew
        raise
    return int(found["Attributes"]["ApproximateNumberOfMessages"])
