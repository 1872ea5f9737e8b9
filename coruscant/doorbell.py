"""Ringing Celery tasks: a hint that there is work in the database, never the work itself."""

from typing import Any

import structlog
from celery import Task
from celery.canvas import Signature
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def ring(bell: "Task[Any, Any] | Signature[Any]", **arguments: Any) -> bool:
    """Send a task now. A broker that is down or refuses is logged, not raised: recovery rings again.

    Returns whether the broker took the message.
    """
    signature = bell.si(**arguments) if isinstance(bell, Task) else bell
    try:
        signature.apply_async()
    except (OperationalError, OSError) as error:
        log.warning("doorbell_not_rung", task=str(signature.task), arguments=arguments, error=str(error))
        return False
    return True


def ring_on_commit(bell: "Task[Any, Any] | Signature[Any]", **arguments: Any) -> None:
    """Send a task after the current transaction has committed, at once when there is none."""
    transaction.on_commit(lambda: ring(bell, **arguments), robust=True)
