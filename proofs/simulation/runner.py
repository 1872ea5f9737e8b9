"""Many seeds, in one process or several."""

import gc
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from proofs.simulation.database import SimulationDatabase
from proofs.simulation.schedule import Result, Schedule
from proofs.simulation.scheduler import Scheduler
from proofs.simulation.tape import Tape

ACTORS = 6


@contextmanager
def quiet() -> Iterator[None]:
    """Without the service's log: the trace has what matters."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def scheduler_on(database: SimulationDatabase) -> Iterator[Scheduler]:
    """A scheduler for many schedules, quiet; the caller's Django connection is the clone's."""
    scheduler = Scheduler(ACTORS, database.monitor)
    with quiet():
        try:
            yield scheduler
        finally:
            scheduler.end()


def play(seeds: Iterable[int], database: SimulationDatabase) -> Iterator[Result]:
    """Play every seed, each in an empty database; the caller's Django connection is the clone's."""
    with scheduler_on(database) as scheduler:
        for seed in seeds:
            yield _play_one(database, scheduler, seed, None)


def play_tape(tape: Tape, database: SimulationDatabase, scheduler: Scheduler) -> Result:
    """Play what a tape decides, from its beginning, in an empty database."""
    return _play_one(database, scheduler, 0, Tape(tape.entries))


def _play_one(database: SimulationDatabase, scheduler: Scheduler, seed: int, tape: Tape | None) -> Result:
    database.empty()
    gc.disable()  # a schedule is short, and its garbage is collected after it
    try:
        return Schedule(seed, scheduler, database, tape).play()
    finally:
        gc.enable()
