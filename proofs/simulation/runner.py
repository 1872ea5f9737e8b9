"""Many seeds, in one process or several."""

import gc
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from proofs.simulation.crew import Crew
from proofs.simulation.database import SimulationDatabase
from proofs.simulation.schedule import Result, Schedule
from proofs.simulation.tape import Tape

CREW = 6


@contextmanager
def quiet() -> Iterator[None]:
    """Without the service's log: the trace tells what matters."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def crew_at(database: SimulationDatabase) -> Iterator[Crew]:
    """A crew for many schedules, quiet; the caller's Django connection is the clone's."""
    crew = Crew(CREW, database.monitor)
    with quiet():
        try:
            yield crew
        finally:
            crew.end()


def play(seeds: Iterable[int], database: SimulationDatabase) -> Iterator[Result]:
    """Play every seed, each in an empty database; the caller's Django connection is the clone's."""
    with crew_at(database) as crew:
        for seed in seeds:
            yield _play_one(database, crew, seed, None)


def play_tape(tape: Tape, database: SimulationDatabase, crew: Crew) -> Result:
    """Play what a tape decides, from its beginning, in an empty database."""
    return _play_one(database, crew, 0, Tape(tape.entries))


def _play_one(database: SimulationDatabase, crew: Crew, seed: int, tape: Tape | None) -> Result:
    database.empty()
    gc.disable()  # a schedule is short, and its garbage is collected after it
    try:
        return Schedule(seed, crew, tape).play()
    finally:
        gc.enable()
