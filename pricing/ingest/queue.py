"""Queues by name: their URLs, looked up once a process and again when a queue has vanished."""

from functools import lru_cache

from django.conf import settings

from coruscant import aws


class QueueMissing(LookupError):
    """There is no queue of this name: `manage.py provision_messaging` makes it."""


def queue_url(name: str) -> str:
    """The URL of a queue. Raises QueueMissing."""
    return _url(settings.AWS_ENDPOINT_URL, name)


def forget_urls() -> None:
    """Look every URL up again, since a queue was not where it had been."""
    _url.cache_clear()


@lru_cache
def _url(_endpoint: str | None, name: str) -> str:
    client = aws.sqs()
    try:
        return client.get_queue_url(QueueName=name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        raise QueueMissing(name) from None
