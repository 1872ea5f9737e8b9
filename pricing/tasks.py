"""Celery tasks of the pricing room: each makes one call."""

from botocore.exceptions import ConnectionError as AwsConnectionError
from botocore.exceptions import HTTPClientError
from celery import shared_task
from django.db import OperationalError

from pricing import ingest, pruning
from pricing.markets import Market

# What passes by itself: an endpoint or a database that cannot be reached just now.
TRANSIENT = (OperationalError, AwsConnectionError, HTTPClientError)


@shared_task(
    name="pricing.poll_prices",
    ignore_result=True,
    autoretry_for=TRANSIENT,
    retry_backoff=1,
    max_retries=3,
)
def poll_prices(*, market: str) -> None:
    """Drain a market's queue for a while; nothing if another worker is at it."""
    ingest.poll(Market(market))


@shared_task(name="pricing.prune_quotes", ignore_result=True, autoretry_for=TRANSIENT, max_retries=3)
def prune_quotes() -> None:
    """Remove quotes beyond retention, within bounds; the next run goes on."""
    pruning.prune()
