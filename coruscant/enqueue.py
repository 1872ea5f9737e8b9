"""Sending Celery tasks. A task is a hint that a row is due, never the work itself: the row says what to do."""

from typing import Any

import structlog
from celery.canvas import Signature
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from coruscant import failpoints
from coruscant.monitoring import celery_queues

log = structlog.get_logger(__name__)


def now(task: "Signature[Any]", *, expires: float | None = None) -> bool:
    """Send a task at once; returns whether the broker took it.

    A broker that is down or refuses is logged, not raised: recovery sends the task again. A task that no worker has
    started after `expires` seconds is dropped. Call it outside any transaction.
    """
    options: dict[str, Any] = {} if expires is None else {"expires": expires}
    failpoints.reach("enqueue.about_to_send")
    try:
        task.apply_async(**options)
    except (OperationalError, OSError) as error:
        log.warning("task_not_enqueued", task=str(task.task), arguments=dict(task.kwargs), error=str(error))
        return False
    failpoints.reach("enqueue.sent")
    return True


def waiting(queue: str) -> int:
    """How many tasks wait in a queue; 0 if the broker does not say. Call it outside any transaction."""
    try:
        return celery_queues.depth(queue)
    except (OperationalError, OSError, RedisError) as error:
        log.warning("queue_depth_unknown", queue=queue, error=str(error))
        return 0


def on_commit(task: "Signature[Any]") -> None:
    """Send a task once the current transaction has committed; at once if there is none."""
    transaction.on_commit(lambda: now(task), robust=True)
