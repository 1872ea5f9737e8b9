"""The tasks that services enqueue, by name, so that services need not import them."""

from typing import Any

from celery import chain, signature
from celery.canvas import Signature


def sale(liquidation_id: int) -> "Signature[Any]":
    """Sell, then publish."""
    return chain(task("liquidation.sell", liquidation_id=liquidation_id), publication(liquidation_id))


def publication(liquidation_id: int) -> "Signature[Any]":
    """Publish only."""
    return task("liquidation.publish", liquidation_id=liquidation_id)


def task(name: str, **arguments: Any) -> "Signature[Any]":
    """One task."""
    return signature(name, kwargs=arguments, immutable=True)
