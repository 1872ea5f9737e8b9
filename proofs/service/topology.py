"""Which processes make up the service: as few as a test needs, or as in production (docs/operations.md)."""

from collections.abc import Callable
from pathlib import Path

from local.demo.programs import CELERY, QUIET, WORKERS

#: The commands of all processes by name, for the API's port, a folder for schedules, and so many copies of each.
Commands = Callable[[int, Path, int], dict[str, tuple[str, ...]]]

_WORKER = (*CELERY, "worker", *QUIET)


def small(port: int, folder: Path, copies: int) -> dict[str, tuple[str, ...]]:
    """Web, beat, and two workers with threads: one for prices, risk and maintenance, one for sales and events."""
    commands: dict[str, tuple[str, ...]] = {}
    for number in range(1, copies + 1):
        prices = (*_WORKER, "-Q", "prices,risk,maintenance", "-P", "threads", "-c", "5", "-n", f"prices-{number}@test")
        sales = (*_WORKER, "-Q", "liquidations,events", "-P", "threads", "-c", "8", "-n", f"sales-{number}@test")
        commands |= {
            f"web-{number}": web(port, threads=4),
            f"prices-{number}": prices,
            f"sales-{number}": sales,
            f"beat-{number}": beat(folder, number),
        }
    return commands


def as_in_production(port: int, folder: Path, copies: int) -> dict[str, tuple[str, ...]]:
    """The processes of a deployment, with their pools: prefork for prices and risk, threads for sales."""
    commands: dict[str, tuple[str, ...]] = {}
    for number in range(1, copies + 1):
        workers = {
            f"{name}-{number}": (*_WORKER, *options, "-n", f"{name}-{number}@test") for name, options in WORKERS.items()
        }
        commands |= {f"web-{number}": web(port, threads=8), **workers, f"beat-{number}": beat(folder, number)}
    return commands


def web(port: int, *, threads: int) -> tuple[str, ...]:
    """Gunicorn with one worker process, which others may share the port with."""
    return ("-m", "gunicorn", "coruscant.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", str(threads),
            "--reuse-port", "--no-control-socket")  # fmt: skip


def beat(folder: Path, number: int) -> tuple[str, ...]:
    """Celery beat with a schedule file of its own."""
    return (*CELERY, "beat", "--schedule", str(folder / f"schedule-{number}"))
