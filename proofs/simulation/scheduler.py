"""The scheduler gives one actor at a time its turn, and finds out which ones wait for a lock of the database."""

import threading
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import psycopg

from proofs.simulation.actor import Actor, State
from proofs.simulation.world import World

_LOOK_SECONDS = 0.004
_HUNG_SECONDS = 60.0


class Hung(RuntimeError):
    """An actor came to no point for a very long time: the simulation itself is broken."""


class Scheduler:
    """The actors of one process, and the thread that gives them their turns."""

    def __init__(self, size: int, monitor: "psycopg.Connection[Any]") -> None:
        """`monitor` looks into pg_locks."""
        self.world = World(0)
        self.monitor = monitor
        self.mutex = threading.Lock()
        #: Whether the last step may have released a lock.
        self.released = False
        self.turn_ended = threading.Lock()
        self.turn_ended.acquire()
        self.actors = [Actor(self, number) for number in range(1, size + 1)]

    @property
    def idle(self) -> list[Actor]:
        """Those without a job."""
        return [actor for actor in self.actors if actor.state is State.IDLE]

    @property
    def busy(self) -> list[Actor]:
        """Those with a job."""
        return [actor for actor in self.actors if actor.state is not State.IDLE]

    @property
    def ready(self) -> list[Actor]:
        """Those that can go on now."""
        now = self.world.time
        return [
            actor
            for actor in self.actors
            if actor.state in {State.READY, State.GRANTED} and (actor.sleeps_until is None or actor.sleeps_until <= now)
        ]

    @property
    def next_awake_at(self) -> datetime | None:
        """When the next of those that sleep wakes up."""
        return min((a.sleeps_until for a in self.actors if a.state is State.READY and a.sleeps_until), default=None)

    def step(self, actor: Actor) -> None:
        """Give an actor a turn, which lasts until it ends it, is done, or waits for a lock."""
        began = time.monotonic()
        self.world.acting = actor.name
        self.released = False
        actor.state = State.RUNNING
        actor.turn.release()
        may_wait = any(other.in_transaction for other in self.actors if other is not actor)
        look = _LOOK_SECONDS
        while not self.turn_ended.acquire(timeout=look):
            if may_wait and actor.in_sql and actor.pid in self._waiting():
                with self.mutex:
                    if actor.in_sql:
                        actor.state = State.BLOCKED
                        actor.in_transaction = True
                        self.world.log("waits for a lock")
                        break
            look *= 1.5
            if time.monotonic() - began > _HUNG_SECONDS:
                raise Hung(f"{actor.name} came to no point")
        if self.released:
            self._settle()

    def resolve_deadlock(self) -> None:
        """Everybody waits for a lock: the promise of one order of locks is broken; the database ends one of them."""
        began = time.monotonic()
        while not any(actor.state is State.GRANTED for actor in self.actors):
            time.sleep(0.01)
            if time.monotonic() - began > _HUNG_SECONDS:
                raise Hung("the database resolved no deadlock")
        self._settle()

    def kill(self, doomed: Iterable[Actor]) -> None:
        """End the jobs of some actors where they are, those who hold what others wait for among them."""
        left = list(doomed)
        while left := [actor for actor in left if actor.state is not State.IDLE]:
            for actor in left:
                actor.killed, actor.sleeps_until = True, None
            if ready := [actor for actor in self.ready if actor in left]:
                self.step(ready[0])
            else:
                self.resolve_deadlock()

    def dismiss(self) -> None:
        """End every job, so that the next schedule begins with nobody at work."""
        self.world.faults.calm = True
        self.kill(self.busy)

    def end(self) -> None:
        """Close every connection and end every thread."""
        self.dismiss()
        for actor in self.actors:
            actor.ended = True
            actor.turn.release()
            self.turn_ended.acquire()

    def _settle(self) -> None:
        """Find out who still waits for a lock, and who has been granted one by what the last step did."""
        for actor in self.actors:
            while actor.state is State.BLOCKED and actor.pid not in self._waiting():
                time.sleep(0.0002)

    def _waiting(self) -> set[int]:
        rows = self.monitor.execute("SELECT pid FROM pg_locks WHERE NOT granted").fetchall()
        return {pid for (pid,) in rows}
