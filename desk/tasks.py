"""Celery's side of the desk: each task makes one call."""

from celery import shared_task
from django.db import OperationalError

from desk.book import snapshot
from desk.replay.tasks import replay
from desk.stress import price_at_risk

__all__ = ["compute_price_at_risk", "replay", "take_snapshot", "thin_snapshots"]


@shared_task(name="desk.take_snapshot", ignore_result=True, autoretry_for=(OperationalError,), max_retries=1)
def take_snapshot() -> None:
    """Take a snapshot of the book, unless there is a new one."""
    snapshot.take()


@shared_task(name="desk.thin_snapshots", ignore_result=True, autoretry_for=(OperationalError,), max_retries=1)
def thin_snapshots() -> None:
    """Delete snapshots that are kept no longer."""
    snapshot.thin()


@shared_task(name="desk.compute_price_at_risk", ignore_result=True, autoretry_for=(OperationalError,), max_retries=1)
def compute_price_at_risk() -> None:
    """Compute price at risk anew."""
    price_at_risk.compute()
