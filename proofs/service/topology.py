"""Which processes make up the service: as few as a test needs, or those of a deployment."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from local.processes import BEAT, WEB, WORKERS, Pool, Web, Worker

#: The commands of all processes by name, for the API's port, a folder for schedules, and so many copies of each.
Commands = Callable[[int, Path, int], dict[str, tuple[str, ...]]]

_SMALL_WEB = replace(WEB, processes=1)
_SMALL_WORKERS = (
    replace(
        WORKERS["prices"],
        queues=WORKERS["prices"].queues + WORKERS["risk"].queues + WORKERS["replay"].queues,
        pool=Pool.THREADS,
        concurrency=5,
    ),
    replace(WORKERS["sales"], concurrency=8),
)


def small(port: int, folder: Path, copies: int) -> dict[str, tuple[str, ...]]:
    """Web, beat, and two workers with threads: one for prices, risk and maintenance, one for sales and events."""
    return _commands(_SMALL_WEB, _SMALL_WORKERS, port, folder, copies)


def as_in_production(port: int, folder: Path, copies: int) -> dict[str, tuple[str, ...]]:
    """The processes of a deployment but Flower, which only looks on."""
    return _commands(WEB, WORKERS.values(), port, folder, copies)


def _commands(web: Web, workers: Iterable[Worker], port: int, folder: Path, copies: int) -> dict[str, tuple[str, ...]]:
    listen = ("--reuse-port", "--no-control-socket")  # copies share the port
    workers = tuple(workers)
    commands: dict[str, tuple[str, ...]] = {}
    for number in range(1, copies + 1):
        commands[f"web-{number}"] = web.command(f"127.0.0.1:{port}", *listen)
        for worker in workers:
            name = f"{worker.name}-{number}"
            commands[name] = worker.command(f"{name}@test")
        commands[f"beat-{number}"] = BEAT.command(str(folder / f"schedule-{number}"))
    return commands
