"""Ends a worker or beat whose loop stands still, so that whatever supervises it starts it again.

A worker reads its pub/sub connection without a time-out (redis-py's `PubSub.parse_response`). If its connections to the
broker are reset, and the new ones fall silent before they have answered, it waits for ever, fetches nothing, and its
process looks well.
"""

import faulthandler
from pathlib import Path
from typing import Any

from celery import bootsteps
from celery.beat import PersistentScheduler
from django.conf import settings

#: Longer than time-outs of a broker can hold up a loop, and than a task may last: while the loop stands still no task
#: begins, so none is killed in its work.
LONGEST_STANDSTILL_SECONDS = 90
SAYS_EVERY_SECONDS = 5.0
#: By its number, since Celery puts a log in place of `sys.stderr`.
_STDERR = 2


def alive() -> None:
    """Say that the loop goes round: the process is left alone for so long, and HEARTBEAT_FILE is new again.

    Otherwise the process prints where each of its threads stands, and ends at once with exit code 1.
    """
    faulthandler.dump_traceback_later(LONGEST_STANDSTILL_SECONDS, exit=True, file=_STDERR)
    if settings.HEARTBEAT_FILE:
        Path(settings.HEARTBEAT_FILE).touch()


def rest() -> None:
    """Leave the process alone until its loop goes round again."""
    faulthandler.cancel_dump_traceback_later()


class WatchedConsumer(bootsteps.StartStopStep):
    """Watches a worker's loop from its first round on a connection until that is lost.

    A worker that waits for its broker is left alone, unless it waits within the loop, where Celery sends a heartbeat
    again and again. Then it is ended too, and waits when it is started again.
    """

    requires = ("celery.worker.consumer.connection:Connection",)
    _says: Any = None

    def start(self, parent: Any) -> None:
        """Let the loop say that it goes round."""
        self._says = parent.timer.call_repeatedly(SAYS_EVERY_SECONDS, alive)

    def stop(self, parent: Any) -> None:
        """End watching: the connection is lost, or the worker stops and lets its tasks end."""
        if self._says is not None:
            self._says.cancel()
        rest()


class WatchedScheduler(PersistentScheduler):
    """Celery's own scheduler of a beat, watched from its first tick on."""

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Do what is due; returns how long to wait for the next tick."""
        wait = super().tick(*args, **kwargs)
        alive()
        return wait
