"""The Celery task of replays; it makes one call."""

from celery import shared_task

from coruscant import enqueue
from desk.replay import service


@shared_task(name="desk.replay", ignore_result=True)
def replay() -> None:
    """Do the replay that has waited longest, then let the next one follow."""
    if service.work():
        enqueue.now(replay.si())
