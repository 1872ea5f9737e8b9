"""Gives signs of life of a worker or beat, and ends it if its loop stands still, so that it is started again.

A worker reads its pub/sub connection without a time-out (redis-py's `PubSub.parse_response`). If its connections to the
broker are reset, and the new ones fall silent before they have answered, it waits for ever, fetches nothing, and its
process looks well.
"""

import atexit
import faulthandler
import socket
import time
from pathlib import Path
from typing import Any

from celery import bootsteps
from celery.beat import PersistentScheduler
from celery.worker import state
from django.conf import settings

from coruscant.monitoring import signs_of_life

#: Longer than time-outs of a broker can hold up a loop, and than a task may last: while the loop stands still no task
#: begins, so none is killed in its work. Only a replay may last longer, and is begun again.
LONGEST_STANDSTILL_SECONDS = 90
SAYS_EVERY_SECONDS = signs_of_life.EVERY_SECONDS
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


def _stops() -> bool:
    """Whether this worker has been told to stop."""
    told: Any = state  # the stubs say that it never is
    return told.should_stop is not None or told.should_terminate is not None


class WatchedConsumer(bootsteps.StartStopStep):
    """Watches a worker's loop from its first round on a connection until that is lost.

    A worker that waits for its broker is left alone, unless it waits within the loop, where Celery sends a heartbeat
    again and again. Then it is ended too, and waits when it is started again.
    """

    requires = ("celery.worker.consumer.connection:Connection",)
    _says: Any = None

    def start(self, parent: Any) -> None:
        """Let the loop say that it goes round."""
        self._of = tuple(parent.app.amqp.queues.consume_from), parent.hostname
        self._says = parent.timer.call_repeatedly(SAYS_EVERY_SECONDS, self._go_round)

    def stop(self, parent: Any) -> None:
        """End watching: the connection is lost, or the worker stops and lets its tasks end."""
        if self._says is not None:
            self._says.cancel()
            if _stops():
                signs_of_life.end(*self._of)
        rest()

    def _go_round(self) -> None:
        alive()
        signs_of_life.give(*self._of)


class WatchedScheduler(PersistentScheduler):
    """Celery's own scheduler of a beat, watched from its first tick on."""

    schedule_filename: Any
    _sign_at = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Do what is due; returns how long to wait for the next tick."""
        wait = super().tick(*args, **kwargs)
        alive()
        self._give_sign()
        return wait

    def _give_sign(self) -> None:
        now = time.monotonic()
        if now < self._sign_at:
            return
        of = (signs_of_life.BEAT,), f"{socket.gethostname()} {self.schedule_filename}"
        if not self._sign_at:
            atexit.register(signs_of_life.end, *of)
        self._sign_at = now + signs_of_life.EVERY_SECONDS
        signs_of_life.give(*of)
