"""The three servers as one context manager."""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from local.stack.errors import EmbeddedStackError
from local.stack.leftovers import ProcessList
from local.stack.postgres import PostgresServer
from local.stack.server import Server
from local.stack.sns_sqs import SnsSqsServer
from local.stack.valkey import ValkeyServer


class EmbeddedStack:
    """PostgreSQL, Valkey and SNS/SQS on free loopback ports, with data and logs under one folder.

        with EmbeddedStack(folder=Path(".local/demo")) as stack:
            os.environ.update(stack.environment)

    PostgreSQL's data stays in the folder from one run to the next; Valkey and SNS/SQS start empty.
    `durable=False` turns fsync, full_page_writes and synchronous_commit off: for tests only. One stack at a
    time may use a folder. The servers end with this process however it ends, a kill -9 included.
    """

    def __init__(
        self, *, folder: Path, durable: bool = True, postgres_settings: Mapping[str, str] | None = None
    ) -> None:
        """Describe the stack; nothing is started yet. `postgres_settings` are PostgreSQL's own, for this run."""
        self.folder = folder.absolute()
        self.log_folder = self.folder / "logs"
        self.postgres = PostgresServer(
            self.folder / "postgresql", self.log_folder, durable=durable, settings=postgres_settings
        )
        self.valkey = ValkeyServer(self.folder / "valkey", self.log_folder)
        self.sns_sqs = SnsSqsServer(self.folder / "sns-sqs", self.log_folder)
        self.processes = ProcessList(self.folder / "stack.processes.json")
        self._lock: IO[str] | None = None

    @property
    def servers(self) -> tuple[Server, ...]:
        """The servers, slowest to start first."""
        return (self.sns_sqs, self.postgres, self.valkey)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point the service at these servers, under its own role in the database."""
        return {
            "DATABASE_URL": self.postgres.database_url,
            "CACHE_URL": self.valkey.cache_url,
            "CELERY_BROKER_URL": self.valkey.broker_url,
            "AWS_ENDPOINT_URL": self.sns_sqs.endpoint_url,
            "AWS_REGION": self.sns_sqs.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    @property
    def owner_environment(self) -> dict[str, str]:
        """The same for `migrate`, and for whoever makes databases: as the owner of the tables."""
        return self.environment | {"DATABASE_URL": self.postgres.owner_database_url}

    @property
    def superuser_database_url(self) -> str:
        """URL of the service's database as PostgreSQL's superuser."""
        return self.postgres.superuser_database_url

    def start(self) -> None:
        """Start every server and wait until all answer. Raises EmbeddedStackError, with everything stopped again."""
        self._take_lock()
        try:
            self.processes.end_leftovers()
            self.sns_sqs.forget()
            for server in self.servers:
                server.launch()
                self._list_processes()
            for server in self.servers:
                server.wait_until_ready()
            self._list_processes()  # again: a server that lost its port was started again
            self.postgres.make_role_and_database()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop every server, in order, and wait until all are gone. Harmless when repeated."""
        for server in self.servers:
            if server.running:
                server.process.ask_to_stop()
        for server in self.servers:
            server.stop()
        if self._lock is not None:
            self.processes.path.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        """Start the stack."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the stack."""
        self.stop()

    def _list_processes(self) -> None:
        """Write down for the next run what this one has started."""
        running = [server.process for server in self.servers if server.running]
        pids = [(process.name, pid) for process in running for pid in (process.pid, process.guard_pid) if pid]
        self.processes.write(pids)

    def _take_lock(self) -> None:
        """Take the folder for this process; the lock ends with the process, however that ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = (self.folder / "stack.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip() or "another process"
            lock.close()
            raise EmbeddedStackError(f"{self.folder} is in use by process {owner}.") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
