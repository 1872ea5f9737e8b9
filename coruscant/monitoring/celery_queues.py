"""What waits in each Celery queue, as the broker has it: how many tasks, and for how long the oldest."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.conf import settings

from coruscant.celery import SENT_AT, app

#: A scrape does not wait for a broker that is down.
_TIMEOUT_SECONDS = 1


class Waiting(NamedTuple):
    """The tasks of a queue that no worker has taken yet.

    `oldest_seconds` is by the clocks of this machine and of the sender: 0 where none waits, None where the oldest one
    does not say since when.
    """

    depth: int
    oldest_seconds: float | None


def waiting() -> dict[str, Waiting]:
    """What waits, by queue. Raises what the broker raises."""
    with _channel() as channel:
        return {queue.name: _waiting(channel, queue.name) for queue in app.amqp.queues.values()}


def depth(queue: str) -> int:
    """How many tasks wait in a queue. Raises what the broker raises."""
    with _channel() as channel:
        return _depth(channel, queue)


@contextmanager
def _channel() -> Iterator[Any]:
    options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "max_connections": 2, "socket_timeout": _TIMEOUT_SECONDS}
    with app.connection_for_read(transport_options=options, connect_timeout=_TIMEOUT_SECONDS) as broker:
        broker.ensure_connection(max_retries=1, timeout=_TIMEOUT_SECONDS)
        yield broker.default_channel


def _waiting(channel: Any, queue: str) -> Waiting:
    oldest = channel.client.lindex(queue, -1)  # kombu puts new ones in front
    return Waiting(_depth(channel, queue), 0.0 if oldest is None else _seconds_since(oldest))


def _depth(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue=queue).message_count)


def _seconds_since(message: bytes) -> float | None:
    """Since a message was sent. None if it does not say, as of a release before, or is no message of ours."""
    try:
        return max(0.0, time.time() - float(json.loads(message)["headers"][SENT_AT]))
    except (ValueError, OverflowError, TypeError, KeyError, RecursionError):
        return None
