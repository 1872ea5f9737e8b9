"""Celery's side of the chain: each task makes one call, and the rows decide."""

from celery import shared_task
from django.db import OperationalError

from liquidation import backlog, evaluate
from liquidation import publish as publishing
from liquidation import recover as recovery
from liquidation import sell as selling
from liquidation.monitoring import invariant_checks


class SaleUnfinished(Exception):  # not an error: the sale goes on later
    """A sale stopped before its end and is due again; the row says when."""


@shared_task(name="liquidation.evaluate_loans", ignore_result=True, autoretry_for=(OperationalError,), max_retries=2)
def evaluate_loans() -> None:
    """Evaluate all loans at the prices that no evaluation has covered yet."""
    evaluate.evaluate_loans()


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
    """Take one sale as far as it goes; Celery tries again soon, and recovery until it is done."""
    outcome = selling.sell(liquidation_id)
    backlog.enqueue_if_any_due()
    if outcome is selling.Outcome.LATER:
        raise SaleUnfinished(f"liquidation {liquidation_id} is due again later")


@shared_task(name="liquidation.sell_backlog", ignore_result=True, autoretry_for=(OperationalError,), max_retries=2)
def sell_backlog() -> None:
    """Sell and publish what is due and not enqueued."""
    backlog.sell_backlog()


@shared_task(
    name="liquidation.publish",
    ignore_result=True,
    autoretry_for=(publishing.EventNotSent, OperationalError),
    throws=(publishing.EventNotSent,),
    retry_backoff=1,
    retry_backoff_max=30,
    max_retries=6,
)
def publish(*, liquidation_id: int) -> None:
    """Send the event of a settled liquidation; Celery tries again soon, and recovery until it is done."""
    publishing.publish(liquidation_id)


@shared_task(name="liquidation.publish_loan_events", ignore_result=True)
def publish_loan_events() -> None:
    """Send loan events that are due, behind those of liquidations."""
    publishing.publish_loan_events()


@shared_task(name="liquidation.recover", ignore_result=True)
def recover() -> None:
    """Enqueue what is due."""
    recovery.recover()


@shared_task(name="liquidation.check_invariants", ignore_result=True)
def check_invariants() -> None:
    """Check the invariants that are due to be checked."""
    invariant_checks.check_due()


# Names of the release before: its processes may still send these while a deployment replaces them. Removed in the next.
shared_task(name="liquidation.sweep", ignore_result=True)(evaluate_loans.run)
shared_task(name="liquidation.work_off", ignore_result=True)(sell_backlog.run)
