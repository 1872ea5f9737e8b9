"""The Celery task of replays; it makes one call."""

from celery import shared_task

from coruscant import enqueue
from desk.replay import service


# Of its own, above the limits of other tasks: `service` stops before them, and the broker gives the message to nobody
# else until after them.
@shared_task(name="desk.replay", ignore_result=True, soft_time_limit=100, time_limit=110)
def replay() -> None:
    """Do the replay that has waited longest, then let the next one follow."""
    if service.work():
        enqueue.now(replay.si())
