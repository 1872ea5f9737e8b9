"""Celery tasks of the app: each makes one call."""

from celery import shared_task

from coruscant.approvals import expire


@shared_task(name="approvals.expire", ignore_result=True)
def expire_approvals() -> None:
    """Mark what nobody has decided in time."""
    expire.expire_overdue()
