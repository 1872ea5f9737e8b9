"""Schedules in processes of their own, each on its own clone of the database."""

import queue as queues
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from proofs.simulation.database import SimulationDatabase
    from proofs.simulation.schedule import Result

#: A schedule takes a fraction of a second; a process that says nothing for so long is gone or stuck.
_SILENCE_SECONDS = 120
#: The migrated database of the embedded stack.
TEMPLATE = "coruscant"


class ProcessLost(RuntimeError):
    """A process ended, or fell silent, before it had played all its seeds."""


def set_up() -> None:
    """Let Django read the settings, which the environment holds by now."""
    import django  # noqa: PLC0415  (not before the environment is there)

    django.setup()


def migrate() -> None:
    """Bring the template up to date."""
    set_up()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    connections.close_all()


def clone_here(url: str, name: str, template: str = TEMPLATE) -> "AbstractContextManager[SimulationDatabase]":
    """A clone of `template` for this process; `url` is the superuser's."""
    from proofs.simulation.database import clone  # noqa: PLC0415

    return clone(url, template, f"simulation_{name}")


def play_here(
    url: str, seeds: Sequence[int], name: str, *, template: str = TEMPLATE, change: str = ""
) -> "Iterator[Result]":
    """Play seeds in this process, on a clone of `template`; `url` is the superuser's. `change` is done to the clone."""
    from proofs.simulation.runner import play  # noqa: PLC0415

    with clone_here(url, name, template) as database:
        if change:
            database.monitor.execute(change)
        yield from play(seeds, database)


def play_in_parallel(url: str, seeds: Sequence[int], processes: int, *, template: str = TEMPLATE) -> "Iterator[Result]":
    """Play seeds in several processes; results come as they are ready. Raises ProcessLost."""
    context = get_context("spawn")
    results: Any = context.Queue()
    workers = [
        context.Process(target=_work, args=(results, url, seeds[number::processes], str(number), template), daemon=True)
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    try:
        for _ in seeds:
            result: Result | str = results.get(timeout=_SILENCE_SECONDS)
            if isinstance(result, str):
                raise ProcessLost(result)
            yield result
    except queues.Empty:
        raise ProcessLost("a process says nothing any more") from None
    finally:
        for worker in workers:
            worker.join(timeout=5)
            worker.terminate()


def _work(results: Any, url: str, seeds: Sequence[int], name: str, template: str) -> None:
    try:
        set_up()
        for result in play_here(url, seeds, name, template=template):
            results.put(result)
    except BaseException as error:
        results.put(f"process {name} ended: {type(error).__name__}: {error}")
