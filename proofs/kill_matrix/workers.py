"""Several workers at once: each is a process with an embedded stack of its own, and takes cell after cell."""

import multiprocessing
import os
import queue
from collections.abc import Iterator, Sequence
from multiprocessing.queues import Queue
from pathlib import Path
from threading import Thread

from local.stack import EmbeddedStack
from pricing.markets import Market
from proofs.kill_matrix.cells import Cell
from proofs.kill_matrix.outcome import Outcome

SETTINGS = {
    "DEBUG": "false",
    "DEMO": "true",
    "INSTALLATION_NAMESPACE": "6f1c2f0a-5d1e-4a52-9c0b-6c1f7f2b9d11",
    "SECRET_KEY": "a secret for the kill matrix, long enough to be accepted",
    "ALLOWED_HOSTS": "localhost,127.0.0.1",
    "API_ALLOW_ANONYMOUS": "true",
    **{f"{market.name}_URL": f"http://{market.value.replace('_', '-')}.test" for market in Market},
    "LOG_LEVEL": "CRITICAL",
    "DOTENV": os.devnull,
    "DJANGO_SETTINGS_MODULE": "coruscant.settings",
}
DATABASE = "kill_matrix"
_LOOK_SECONDS = 1


class WorkerLost(RuntimeError):
    """A worker ended before its cells were played."""


def play_in_parallel(cells: Sequence[Cell], folder: Path, *, workers: int, short: bool) -> Iterator[Outcome]:
    """Play cells, so many at a time; yields outcomes as they come. Raises WorkerLost when a worker ends early."""
    context = multiprocessing.get_context("spawn")
    todo: Queue[Cell | None] = context.Queue()
    done: Queue[Outcome] = context.Queue()
    number = min(workers, len(cells))
    for entry in (*cells, *[None] * number):
        todo.put(entry)
    processes = [
        context.Process(target=_work, args=(folder / f"worker-{index}", todo, done, short), daemon=True)
        for index in range(1, number + 1)
    ]
    for process in processes:
        process.start()
    left = len(cells)
    while left:
        try:
            yield done.get(timeout=_LOOK_SECONDS)
            left -= 1
        except queue.Empty:
            if any(process.exitcode for process in processes):
                raise WorkerLost("A runner ended with an error; what it said is above.") from None
    for process in processes:
        process.join()


def _work(folder: Path, todo: "Queue[Cell | None]", done: "Queue[Outcome]", short: bool) -> None:
    """Take cells from the queue until it holds None."""
    Thread(target=_end_with_the_parent, daemon=True).start()
    with EmbeddedStack(folder=folder, durable=False) as stack:
        os.environ.update(SETTINGS | stack.owner_environment)
        import django  # noqa: PLC0415  (needs the environment, and so does all that follows)

        django.setup()
        from django.core.management import call_command  # noqa: PLC0415
        from django.db import connection  # noqa: PLC0415

        from proofs.kill_matrix.play import CellRunner  # noqa: PLC0415
        from proofs.service.running_service import SHORT  # noqa: PLC0415

        call_command("migrate", verbosity=0)
        runner = CellRunner(stack, str(connection.settings_dict["NAME"]), DATABASE, SHORT if short else {})
        while (cell := todo.get()) is not None:
            done.put(runner.play(cell))


def _end_with_the_parent() -> None:
    """A worker whose parent was killed ends at once, and its servers and processes end with it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
