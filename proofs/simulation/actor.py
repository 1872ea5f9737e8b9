"""Actors: threads of which one runs at a time, and the seed decides which.

An actor keeps its turn until it comes to a point where the seed ends it, until its job is done, or until its
connection is found waiting in pg_locks. When the lock is granted, the actor waits for its turn again before it
goes on. So nothing depends on how fast a thread, the database or the machine is.
"""

import contextvars
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection

if TYPE_CHECKING:
    from proofs.simulation.scheduler import Scheduler

Job = Callable[[], None]

#: Where a process that dies or stalls leaves the most open, it does so more often.
_NARROW = frozenset(
    {
        "sell.order_committed",
        "market.decided",
        "sell.answered",
        "publish.counted",
        "publish.sent",
        "posting.seen",
        "posting.written",
        "evaluate.window_opened",
    }
)
_NARROW_TIMES = 8
#: The share of stalls that end just when another actor comes to the same point.
_OVERTAKEN = 0.4
#: A statement that writes, as such or behind a WITH: what it does to which table.
_WRITE = re.compile(r"\s*(?:WITH .*?)?((?:INSERT\s+INTO|UPDATE)\s+\S+)", re.DOTALL)
#: What the model of the protocol knows of.
_OF_A_SALE = re.compile(r"liquidation_(tradeorder|liquidation)\b")


class Killed(BaseException):
    """The process of this actor is gone: no handler of errors may see it, and nothing it does afterwards counts."""


class State(Enum):
    """What an actor is doing."""

    IDLE = auto()
    READY = auto()  # waits for its turn
    RUNNING = auto()
    BLOCKED = auto()  # waits for a lock of the database
    GRANTED = auto()  # has the lock, and waits for its turn


_here = threading.local()


def current_actor() -> "Actor | None":
    """The actor whose thread this is."""
    return getattr(_here, "actor", None)


class Actor:
    """A thread with a connection of its own. It lives as long as the scheduler; the process it simulates may die."""

    def __init__(self, scheduler: "Scheduler", number: int) -> None:
        """Start the thread, which waits for its first job."""
        self.scheduler = scheduler
        self.number = number
        self.state = State.IDLE
        self.title = ""
        self.killed = False
        self.ended = False
        self.in_sql = False
        self.in_transaction = False
        self.wrote_sale = False
        self.sleeps_until: datetime | None = None
        #: The point at which it sleeps until another actor comes there too.
        self.waits_at = ""
        self.pid = 0
        self.turn = threading.Lock()
        self.turn.acquire()
        self._job: Job = lambda: None
        self._rollback: Callable[[], None] = lambda: None
        threading.Thread(target=self._live, daemon=True, name=f"actor {number}").start()

    @property
    def name(self) -> str:
        """How the trace calls it."""
        return f"{self.number} {self.title}"

    def take(self, title: str, job: Job) -> None:
        """Be ready to do a job."""
        self.title, self._job, self.state = title, job, State.READY
        self.killed, self.sleeps_until, self.waits_at = False, None, ""

    def _live(self) -> None:
        _here.actor = self
        while True:
            self.turn.acquire()
            if self.ended:
                connection.close()
                self.scheduler.turn_ended.release()
                return
            try:
                contextvars.Context().run(self._work)
            except Killed:
                pass
            except BaseException as error:
                self.scheduler.world.report(
                    "no task fails", f"{self.title}: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
                )
            self._leave_no_transaction()
            self.in_transaction = False
            self.state = State.IDLE
            self.scheduler.turn_ended.release()

    def _work(self) -> None:
        if connection.connection is None:
            self._connect()
        connection.run_on_commit.clear()
        self._job()

    def _connect(self) -> None:
        """Open the connection, watched from now on; plans never depend on how large tables have grown."""
        connection.ensure_connection()
        for kind in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "hashagg"):
            connection.connection.execute(f"SET enable_{kind} = off")
        connection.connection.commit()
        self.pid = connection.connection.info.backend_pid
        connection.execute_wrappers.append(self._sql)
        watched: Any = connection  # the two methods that every transaction ends with are not in the stubs
        commit, self._rollback = watched._commit, watched._rollback

        def watched_commit() -> None:
            self._commit(commit)

        def watched_rollback() -> None:
            self.scheduler.released, self.wrote_sale = True, False
            self._rollback()

        watched._commit, watched._rollback = watched_commit, watched_rollback

    def _leave_no_transaction(self) -> None:
        if connection.in_atomic_block or (connection.connection is not None and not connection.get_autocommit()):
            self.scheduler.world.report("no transaction is left open", self.title)
            connection.close()
            connection.execute_wrappers.clear()

    # --- what happens in the actor's thread during its turn ---

    def reach(self, name: str) -> None:
        """Come to a point, at which the seed may kill the actor, stall it or end its turn."""
        if self.killed:
            raise Killed
        world = self.scheduler.world
        world.log(name)
        self._wake_whoever_waits_at(name)
        times = _NARROW_TIMES if name in _NARROW else 1
        if world.happens("actor.killed", times):
            self.killed = True
            raise Killed
        if world.happens("actor.stalled", times):
            if overtaken := world.random.random() < _OVERTAKEN:
                self.waits_at = name
            self.sleep(
                world.seconds(40, 90) if overtaken else world.choice([world.seconds(1, 8), world.seconds(21, 45)])
            )
        elif world.random.random() < world.faults.switch:
            self.pause()

    def sleep(self, seconds: float) -> None:
        """End the turn, and have no other for at least so long."""
        self.sleeps_until = self.scheduler.world.time + timedelta(seconds=seconds)
        self.pause()

    def _wake_whoever_waits_at(self, name: str) -> None:
        """Wake the actors stalled here and end the turn: the seed decides who is first in the closest of races."""
        if late := [actor for actor in self.scheduler.actors if actor.waits_at == name]:
            for actor in late:
                actor.sleeps_until, actor.waits_at = None, ""
                self.scheduler.world.log(f"overtakes {actor.name}")
            self.pause()

    def pause(self) -> None:
        """End the turn; returns in the actor's next one."""
        self.state = State.READY
        self.in_transaction = not connection.autocommit  # already out of the atomic block while it commits
        self.scheduler.turn_ended.release()
        self._await_turn()

    def _await_turn(self) -> None:
        self.turn.acquire()
        self.sleeps_until, self.waits_at = None, ""
        if self.killed:
            raise Killed

    def _sql(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        """One statement: a point before it if it writes, and perhaps a lost connection, or a lost answer."""
        if self.killed:
            raise Killed
        if write := _WRITE.match(str(sql)):
            self.wrote_sale = self.wrote_sale or _OF_A_SALE.search(str(sql)) is not None
            self.reach(f"· {' '.join(write[1].split())}")
        if self.scheduler.world.happens("database.lost"):
            raise OperationalError("the connection was lost")
        found = self._watched(lambda: execute(sql, params, many, context), releases=str(sql).startswith("ROLLBACK"))
        if write and connection.autocommit and self.scheduler.world.happens("database.lost_at_commit"):
            raise OperationalError("the connection was lost after a statement that commits by itself")
        return found

    def _commit(self, commit: Callable[[], None]) -> None:
        """A commit: points before and after it; its answer, or the commit itself, may be lost."""
        try:
            self.reach("· before the commit")
        except Killed:
            self.scheduler.released = True
            self._rollback()  # Django would, for an error of the database only
            raise
        lost = self.scheduler.world.happens("database.lost_at_commit")
        if lost and self.scheduler.world.random.random() < 0.5:
            raise OperationalError("the connection was lost before the commit")
        self._watched(commit, releases=True)
        if self.wrote_sale:
            self.wrote_sale = False
            self.scheduler.world.committed(self.number, self.title)
        if lost:
            raise OperationalError("the connection was lost after the commit")

    def _watched(self, act: Callable[[], Any], *, releases: bool) -> Any:
        """Do what may wait for a lock; an actor that had to wait for one waits for its turn afterwards."""
        self.in_sql = True
        try:
            return act()
        finally:
            if releases or connection.autocommit:
                self.scheduler.released = True
            with self.scheduler.mutex:
                self.in_sql = False
                waited = self.state is State.BLOCKED
                if waited:
                    self.state = State.GRANTED
            if waited:
                self._await_turn()
