"""One simulated world: its random generator, its clock, its coming events, and the trace of what has happened."""

import heapq
import itertools
import random
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from liquidation.verdicts import Answer
from pricing.markets import Market
from proofs.simulation.faults import Faults
from proofs.simulation.tape import Tape, TapeRandom

Thing = TypeVar("Thing")

#: Long ago, so that the invariants, which ask the real clock, take whatever is due as overdue.
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=100)


class World:
    """Everything that a seed decides. Only the actor whose turn it is may touch it."""

    def __init__(self, seed: int, tape: Tape | None = None) -> None:
        """Draw what kind of world this is; with a tape, any fault may happen, and does where the tape is not quiet."""
        self.seed = seed
        self.random = random.Random(seed) if tape is None else TapeRandom(tape)
        self.faults = Faults(self.random) if tape is None else Faults.all_possible()
        self.time = BEGINNING
        #: By how much the database's clock is off.
        self.offset = timedelta(0)
        self.trace: list[str] = []
        self.violations: list[str] = []
        #: Whether the bank wants two people for every answer to an order.
        self.four_eyes = False
        #: Who is acting, for the trace.
        self.acting = "world"
        #: Who looks on: at an actor's commit of something of a sale, and at an answer that an actor has read.
        self.committed: Callable[[int, str], None] = lambda actor, job: None
        self.heard: Callable[[int, Market, str, Answer], None] = lambda actor, market, request_id, answer: None
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    # --- time ---

    def clock(self) -> datetime:
        """What the database's clock shows; every look takes a moment, so no two looks are the same."""
        self.time += _TICK
        return self.time + self.offset

    def at(self, instant: datetime, event: Callable[[], None]) -> None:
        """Let something happen at an instant, or at once if that has passed."""
        heapq.heappush(self._events, (instant, next(self._numbers), event))

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """Let something happen after a while."""
        self.at(self.time + timedelta(seconds=seconds), event)

    @property
    def next_event_at(self) -> datetime | None:
        """When the next thing happens by itself."""
        return self._events[0][0] if self._events else None

    def let_happen(self) -> None:
        """Let everything happen whose time has come."""
        while self._events and self._events[0][0] <= self.time:
            self.acting = "world"
            heapq.heappop(self._events)[2]()

    # --- chance ---

    def happens(self, fault: str, times: int = 1) -> bool:
        """Whether a fault happens now, `times` as likely as elsewhere; if so, the trace has it."""
        rate = self.faults.rate(fault) * times
        if rate <= 0 or self.random.random() >= rate:
            return False
        self.log(f"! {fault}")
        return True

    def seconds(self, low: float, high: float) -> float:
        """A duration, to the millisecond."""
        return round(self.random.uniform(low, high), 3)

    def choice(self, things: Sequence[Thing]) -> Thing:
        """One of the things."""
        return things[0] if len(things) == 1 else self.random.choice(things)

    def uuid(self) -> uuid.UUID:
        """A random uuid, the same for the same seed."""
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    # --- trace ---

    def log(self, what: str) -> None:
        """Add a line to the trace."""
        self.trace.append(f"{(self.time - BEGINNING).total_seconds():9.4f}  {self.acting:<22} {what}")

    def report(self, promise: str, what: str) -> None:
        """Add a broken promise to the violations and to the trace."""
        self.violations.append(f"{promise}: {what}")
        self.log(f"BROKEN {promise}: {what}")
