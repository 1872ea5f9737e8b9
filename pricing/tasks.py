"""Celery tasks of the pricing app: each makes one call."""

from botocore.exceptions import ConnectionError as AwsConnectionError
from botocore.exceptions import HTTPClientError
from celery import shared_task
from django.db import OperationalError

from coruscant import enqueue
from pricing.ingest import poll, prune
from pricing.markets import Market

# What is worth a retry: an endpoint or a database that cannot be reached just now.
TRANSIENT = (OperationalError, AwsConnectionError, HTTPClientError)
#: A poll that no worker has started by then is dropped; beat enqueues one every second anyway.
CONTINUED_WITHIN_SECONDS = 3


@shared_task(name="pricing.poll_prices", ignore_result=True, autoretry_for=TRANSIENT, retry_backoff=1, max_retries=3)
def poll_prices(*, market: str) -> None:
    """Poll a market's queue for a while, then enqueue the next poll. Does nothing if another worker is at it."""
    if poll.poll_to_the_end(Market(market)):
        enqueue.now(poll_prices.si(market=market), expires=CONTINUED_WITHIN_SECONDS)


@shared_task(name="pricing.prune_quotes", ignore_result=True, autoretry_for=TRANSIENT, max_retries=3)
def prune_quotes() -> None:
    """Remove quotes beyond their retention, up to a limit; the next run goes on."""
    prune.prune()
