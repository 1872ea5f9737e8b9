"""The tasks of the chain, by name, so that services need not import them."""

from typing import Any

from celery import chain, signature
from celery.canvas import Signature


def sale(liquidation_id: int) -> "Signature[Any]":
    """Sell, then publish."""
    return chain(
        signature("liquidation.sell", kwargs={"liquidation_id": liquidation_id}, immutable=True),
        publication(liquidation_id),
    )


def publication(liquidation_id: int) -> "Signature[Any]":
    """Publish only."""
    return signature("liquidation.publish", kwargs={"liquidation_id": liquidation_id}, immutable=True)


def backlog() -> "Signature[Any]":
    """Sell and publish what is due and not enqueued."""
    return signature("liquidation.sell_backlog", immutable=True)


def evaluation() -> "Signature[Any]":
    """Evaluate all loans by the prices not yet evaluated."""
    return signature("liquidation.evaluate_loans", immutable=True)


def pruning() -> "Signature[Any]":
    """Remove old quotes."""
    return signature("pricing.prune_quotes", immutable=True)
