"""The tasks that services enqueue, by name, so that services need not import them."""

from typing import Any

from celery import chain, signature
from celery.canvas import Signature


def sale(liquidation_id: int) -> "Signature[Any]":
    """Sell, then publish."""
    return chain(_task("liquidation.sell", liquidation_id=liquidation_id), publication(liquidation_id))


def publication(liquidation_id: int) -> "Signature[Any]":
    """Publish only."""
    return _task("liquidation.publish", liquidation_id=liquidation_id)


def backlog() -> "Signature[Any]":
    """Sell and publish what is due and not enqueued."""
    return _task("liquidation.sell_backlog")


def evaluation() -> "Signature[Any]":
    """Evaluate all loans at the prices that no evaluation has covered yet."""
    return _task("liquidation.evaluate_loans")


def pruning() -> "Signature[Any]":
    """Remove old quotes."""
    return _task("pricing.prune_quotes")


def _task(name: str, **arguments: Any) -> "Signature[Any]":
    return signature(name, kwargs=arguments, immutable=True)
