"""Many seeds, in one process or several."""

import gc
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from simulation.crew import Crew
from simulation.database import SimulationDatabase
from simulation.schedule import Result, Schedule

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


def play(seeds: Iterable[int], database: SimulationDatabase) -> Iterator[Result]:
    """Play every seed, each in an empty database; the caller's Django connection is the clone's."""
    crew = Crew(CREW, database.monitor)
    with quiet():
        try:
            for seed in seeds:
                database.empty()
                gc.disable()  # a schedule is short, and its garbage is collected after it
                result = Schedule(seed, crew).play()
                gc.enable()
                yield result
        finally:
            gc.enable()
            crew.end()
