"""Celery's side of the chain: each task makes one call, and the rows decide."""

from celery import shared_task
from django.db import OperationalError

from liquidation import backlog, recovery
from liquidation import publish as publishing
from liquidation import sell as selling
from liquidation import sweep as sweeping
from liquidation.errors import EventNotSent, SaleUnfinished


@shared_task(name="liquidation.sweep", ignore_result=True, autoretry_for=(OperationalError,), max_retries=2)
def sweep() -> None:
    """Judge all loans by the prices not yet swept."""
    sweeping.sweep()


@shared_task(
    name="liquidation.sell",
    ignore_result=True,
    autoretry_for=(SaleUnfinished, OperationalError),
    throws=(SaleUnfinished,),  # expected: no stack trace when the tries are used up, since recovery goes on
    retry_backoff=1,
    retry_backoff_max=30,
    max_retries=6,
)
def sell(*, liquidation_id: int) -> None:
    """Take one sale as far as it goes; Celery tries again soon, recovery for ever."""
    outcome = selling.sell(liquidation_id)
    backlog.ring_for_more()
    if outcome is selling.Outcome.LATER:
        raise SaleUnfinished(f"liquidation {liquidation_id} is due again later")


@shared_task(name="liquidation.work_off", ignore_result=True, autoretry_for=(OperationalError,), max_retries=2)
def work_off() -> None:
    """Take up sales that are due and rung for nobody."""
    backlog.work_off()


@shared_task(
    name="liquidation.publish",
    ignore_result=True,
    autoretry_for=(EventNotSent, OperationalError),
    throws=(EventNotSent,),
    retry_backoff=1,
    retry_backoff_max=30,
    max_retries=6,
)
def publish(*, liquidation_id: int) -> None:
    """Send the event of a settled liquidation; Celery tries again soon, recovery for ever."""
    publishing.publish(liquidation_id)


@shared_task(name="liquidation.recover", ignore_result=True)
def recover() -> None:
    """Ring what is due."""
    recovery.recover()
