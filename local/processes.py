"""The processes of the service, as a deployment runs them: the one table that says so.

The demo, the proofs and the benchmarks make their commands from it, and `tests/test_containers.py` compares
`docker-compose.yml` and the `Dockerfile` with it. Code that needs fewer threads, or an earlier end, declares a variant
of an entry.

`grace_seconds` is how long a process may take to end after SIGTERM before it is killed. A kill loses nothing, but a
sale that is killed waits for its lease, and its order for an answer that was already there.

- web: gunicorn lets requests end for 30 s, then ends its workers itself.
- prices and risk: a task ends within its hard limit of 60 s.
- replay: a replay ends within its hard limit of 110 s.
- sales: Celery's time limits do not work in threads. A run of a sale begins no order after 30 s, and the answer to its
  last one comes within MARKET_TIMEOUT_SECONDS (10 s). Nothing that a worker fetches waits behind another task.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

APPLICATION = "coruscant.wsgi"
GUNICORN_SETTINGS = "python:coruscant.web.gunicorn_settings"
#: Quiet: without a banner, which is no line of the log.
_CELERY = ("celery", "-A", "coruscant", "--quiet")
#: Workers do not greet and watch each other: they would start more slowly, and have nothing to say.
_QUIET = ("--without-gossip", "--without-mingle")


class Pool(StrEnum):
    """How a worker runs its tasks; docs/decisions/0020 says why."""

    PREFORK = "prefork"
    THREADS = "threads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """The API and the admin: gunicorn with some processes of some threads."""

    name: str = "web"
    processes: int
    threads: int
    grace_seconds: int

    def command(self, address: str, *options: str, application: str = APPLICATION) -> tuple[str, ...]:
        """Serve an application at an address such as `0.0.0.0:4000`."""
        size = ("--workers", str(self.processes), "--threads", str(self.threads))
        return ("gunicorn", application, "--config", GUNICORN_SETTINGS, "--bind", address, *size, *options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A Celery worker: its queues, and a pool of so many processes or threads."""

    name: str
    queues: tuple[str, ...]
    pool: Pool
    concurrency: int
    grace_seconds: int

    def command(self, node: str, *options: str, pool: Sequence[str] = ()) -> tuple[str, ...]:
        """Work under a node name such as `sales@%h`; `pool` replaces the options that describe the pool."""
        pool = pool or ("--pool", self.pool.value, "-c", str(self.concurrency))
        return (*_CELERY, "worker", "-Q", ",".join(self.queues), *pool, "-n", node, *_QUIET, *options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Celery beat, which enqueues what is due by the clock. Any number may run, each with a file of its own."""

    name: str = "beat"
    grace_seconds: int

    def command(self, schedule: str) -> tuple[str, ...]:
        """Keep the times of the last runs in the file `schedule`."""
        return (*_CELERY, "beat", "--schedule", schedule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flower:
    """Flower, a view of the workers for operators: under /flower/, with the password of FLOWER_BASIC_AUTH, if any."""

    name: str = "flower"
    grace_seconds: int

    def command(self, host: str, port: int) -> tuple[str, ...]:
        """Serve at a host and a port. It controls nothing: what people do to the service leaves a trace in the desk."""
        return (*_CELERY, "flower", f"--address={host}", f"--port={port}", "--url_prefix=flower", "--read_only")


WEB = Web(processes=2, threads=4, grace_seconds=35)
WORKERS = {
    worker.name: worker
    for worker in (
        # Long polls, one process a market: never in a pool with anything else.
        Worker(name="prices", queues=("prices",), pool=Pool.PREFORK, concurrency=2, grace_seconds=70),
        Worker(name="risk", queues=("risk", "maintenance"), pool=Pool.PREFORK, concurrency=3, grace_seconds=70),
        # Minutes of computing for people who wait, and for nobody else: no evaluation is to wait for them.
        Worker(name="replay", queues=("replay",), pool=Pool.PREFORK, concurrency=1, grace_seconds=120),
        # Selling waits on markets: many threads, little work.
        Worker(name="sales", queues=("liquidations", "events"), pool=Pool.THREADS, concurrency=48, grace_seconds=60),
    )
}
BEAT = Beat(grace_seconds=10)
FLOWER = Flower(grace_seconds=10)


def with_this_python(command: Sequence[str]) -> tuple[str, ...]:
    """The same program as a module of this interpreter, wherever PATH leads."""
    return (sys.executable, "-m", *command)
