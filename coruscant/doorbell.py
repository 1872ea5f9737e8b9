"""Ringing Celery tasks: a hint that there is work in the database, never the work itself."""

from typing import Any

import structlog
from celery.canvas import Signature
from django.db import transaction
from kombu.exceptions import OperationalError

from coruscant import failpoints

log = structlog.get_logger(__name__)


def ring(bell: "Signature[Any]", *, expires: float | None = None) -> bool:
    """Send a task now. A broker that is down or refuses is logged, not raised: recovery rings again.

    A bell that no worker has heard after `expires` seconds is forgotten. Returns whether the broker took it.
    """
    options: dict[str, Any] = {} if expires is None else {"expires": expires}
    failpoints.reach("doorbell.about_to_ring")
    try:
        bell.apply_async(**options)
    except (OperationalError, OSError) as error:
        log.warning("doorbell_not_rung", task=str(bell.task), arguments=dict(bell.kwargs), error=str(error))
        return False
    failpoints.reach("doorbell.rung")
    return True


def ring_on_commit(bell: "Signature[Any]") -> None:
    """Send a task after the current transaction has committed, at once when there is none."""
    transaction.on_commit(lambda: ring(bell), robust=True)
