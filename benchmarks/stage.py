"""The stage of a run: the embedded stack with durability on, banks to copy, and the service's processes."""

import io
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql
from rich.console import Console

from local.processes import BEAT, WEB, WORKERS, with_this_python
from local.stack import ChildProcess, EmbeddedStack
from local.stack.listening import on_a_free_port, wait_until_listening
from local.stack.ports import LOOPBACK, free_port
from local.stack.postgres import DATABASE, OWNER

ROOT = Path(__file__).resolve().parent.parent
POSTGRES_SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "track_commit_timestamp": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
}
_TEMPLATE = "benchmarks_migrated"
_SECRET = "a secret for benchmarks, long enough to be accepted"


class Stage:
    """The stack, the environment of every process, and a console for progress."""

    def __init__(self, folder: Path, console: Console) -> None:
        """Prepare it; nothing is started yet."""
        self.stack = EmbeddedStack(folder=folder, durable=True, postgres_settings=POSTGRES_SETTINGS)
        self.console = console
        self._namespace = uuid.uuid4()
        self.market_ports = {"mos_espa": free_port(), "black_spire_outpost": free_port()}

    def __enter__(self) -> Self:
        """Start the servers and set Django up on them, with an empty database."""
        self.stack.start()
        try:
            os.environ.update(self.environment | self.stack.owner_environment | {"LOG_LEVEL": "ERROR"})
            _set_up_django()
            self._migrate()
        except BaseException:
            self.stack.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the servers."""
        self.disconnect()
        self.stack.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the service's processes."""
        return {
            **os.environ,
            **self.stack.environment,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "coruscant.settings",
            "DOTENV": os.devnull,
            "DEBUG": "false",
            "DEMO": "true",
            "INSTALLATION_NAMESPACE": str(self._namespace),
            "SECRET_KEY": _SECRET,
            "ALLOWED_HOSTS": LOOPBACK,
            "API_ALLOW_ANONYMOUS": "true",
            "API_WRITES_PER_MINUTE": "1000000",  # counted, but never refused
            "LOG_LEVEL": "INFO",
            "LOAN_EVENTS_TOPIC": "coruscant-bank-loan-events",
            **self._market_urls,
        }

    def say(self, text: str) -> None:
        """Print a line of progress, with the time."""
        self.console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] {text}", highlight=False)

    @contextmanager
    def superuser(self) -> Iterator["psycopg.Connection[Any]"]:
        """A superuser's connection to the service's database, in autocommit."""
        with psycopg.connect(self.stack.superuser_database_url, autocommit=True) as connection:
            yield connection

    def disconnect(self) -> None:
        """Close this process's connections to the database."""
        from django.db import connections

        connections.close_all()

    def use(self, template: str | None = None) -> None:
        """Begin anew: the service's database becomes a copy of a kept one, and broker, cache and queues are empty."""
        self._copy(template or _TEMPLATE, DATABASE)
        self._namespace = uuid.uuid4()  # the markets remember: to them, it is another bank
        with self.superuser() as connection:
            connection.execute("DELETE FROM restores_databaseidentity")  # a new beginning, not a restore
            connection.execute("CHECKPOINT")
        self._forget_messages()

    def keep(self, name: str) -> None:
        """Keep the service's database as it is now under a name, for `use`."""
        self._copy(DATABASE, name)

    def kept(self, name: str) -> bool:
        """Whether this run has kept a database of that name."""
        with self.superuser() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        return found is not None

    def worker(self, kind: str, number: int = 1, *, pool: Sequence[str] = ()) -> ChildProcess:
        """A worker as in production, or with other options for its pool; not started."""
        command = WORKERS[kind].command(f"{kind}{number}@benchmarks", pool=pool)
        return self._process(f"{kind}-{number}", with_this_python(command))

    def beat(self) -> ChildProcess:
        """A beat; not started."""
        command = BEAT.command(str(self.stack.folder / "celerybeat-schedule"))
        return self._process("beat", with_this_python(command))

    @contextmanager
    def markets(
        self, *, faults: str, price: str, kinds: Sequence[str] = (), publish: bool = True
    ) -> Iterator[list[ChildProcess]]:
        """Both simulated markets, of 20 ms latency, whose price stays where it is however much is sold.

        Processes of the service must be described within the block: only then is it certain where the markets listen.
        """
        from django.conf import settings

        opened: list[ChildProcess] = []
        failing = ["--faults", faults, *(["--fault-kinds", *kinds] if kinds else [])]
        environment = {} if publish else {"AWS_ENDPOINT_URL": ""}
        try:
            for name in self.market_ports:
                opened.append(on_a_free_port(partial(self._open_market, name, failing, price, environment)))
            settings.MARKET_URLS = {name: f"http://{LOOPBACK}:{port}" for name, port in self.market_ports.items()}
            yield opened
        finally:
            self._stop(opened)

    def _open_market(
        self, name: str, failing: Sequence[str], price: str, environment: Mapping[str, str], port: int
    ) -> ChildProcess:
        """Start a market and wait until it listens. Raises PortTakenError if another process does."""
        script = self.stack.folder / f"price-of-{name}.json"
        script.write_text(json.dumps([price]))
        arguments = ["--market", name, "--port", str(port), *failing, "--latency-ms", "20"]
        arguments += ["--scenario", "script", "--script", str(script), "--price-faults", "0"]
        market = self.python(name.replace("_", "-"), "-m", "local.simulators.market", *arguments, **environment)
        market.start()
        wait_until_listening(market, port)
        self.market_ports[name] = port
        return market

    @property
    def _market_urls(self) -> dict[str, str]:
        """Settings that say where the markets listen, or will at first."""
        return {f"{name.upper()}_URL": f"http://{LOOPBACK}:{port}" for name, port in self.market_ports.items()}

    @contextmanager
    def serving(self, application: str) -> Iterator[int]:
        """Serve an application by gunicorn as in production, for the length of a block; yields its port."""
        web, port = on_a_free_port(lambda port: self._start_web(application, port))
        try:
            yield port
        finally:
            web.stop()

    def _start_web(self, application: str, port: int) -> tuple[ChildProcess, int]:
        """Start gunicorn and wait until it listens. Raises PortTakenError if another process does."""
        command = WEB.command(f"{LOOPBACK}:{port}", "--no-control-socket", application=application)
        web = self._process(f"web-{application.partition('.')[0]}", with_this_python(command))
        web.start()
        wait_until_listening(web, port)
        return web, port

    def python(self, name: str, *arguments: str, **environment: str) -> ChildProcess:
        """A Python process in the service's environment; not started."""
        return self._process(name, (sys.executable, *arguments), environment)

    def _process(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> ChildProcess:
        return ChildProcess(
            name,
            command,
            log_path=self.stack.log_folder / f"{name}.log",
            environment=self.environment | dict(environment or {}),
            folder=ROOT,
            grace_seconds=5,
        )

    def pgbench(self, script: Path, *, clients: int, seconds: float, variables: Mapping[str, int]) -> float:
        """Transactions per second of a pgbench script on the service's database, as its owner."""
        postgres = self.stack.postgres
        command: list[str] = [str(postgres.binaries() / "pgbench"), "--no-vacuum", f"--file={script}"]
        command += [f"--client={clients}", "--jobs=2", f"--time={max(1, round(seconds))}", "--protocol=prepared"]
        command += [f"--define={name}={value}" for name, value in variables.items()]
        command += ["--host", postgres.host, "--port", str(postgres.port), "--username", OWNER, DATABASE]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
        (line,) = (line for line in printed.splitlines() if line.startswith("tps ="))
        return float(line.split()[2])

    @contextmanager
    def running(self, *processes: ChildProcess) -> Iterator[None]:
        """Run processes for the length of a block; at its end all are asked to stop, then waited for."""
        try:
            for process in processes:
                process.start()
            yield
        finally:
            self._stop(processes)

    def _stop(self, processes: Sequence[ChildProcess]) -> None:
        """Stop processes, all at the same time."""
        for process in processes:
            process.ask_to_stop()
        for process in processes:
            process.stop()

    def await_workers(self, count: int, seconds: float = 60) -> None:
        """Wait until so many workers answer. Raises TimeoutError."""
        from coruscant.celery import app

        eventually(lambda: len(app.control.ping(timeout=1) or []) >= count, "workers answer", seconds)

    def _migrate(self) -> None:
        from django.core.management import call_command

        self._drop_kept()
        with self._maintenance() as connection:
            _replace(connection, DATABASE, "template1")
        with self.superuser() as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            connection.execute(sql.SQL("GRANT pg_read_all_stats TO {}").format(sql.Identifier(OWNER)))
        call_command("migrate", verbosity=0)
        call_command("provision_messaging", stdout=io.StringIO())
        self.keep(_TEMPLATE)

    def _copy(self, source: str, target: str) -> None:
        self.disconnect()
        with self._maintenance() as connection:
            _replace(connection, target, source)

    def _drop_kept(self) -> None:
        """Drop what earlier runs kept: their migrations may differ."""
        with self._maintenance() as connection:
            rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'benchmarks%'").fetchall()
            for (name,) in rows:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def _maintenance(self) -> Iterator["psycopg.Connection[Any]"]:
        address = self.stack.superuser_database_url.rpartition("/")[0]
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            yield connection

    def _forget_messages(self) -> None:
        import redis

        from coruscant import aws

        redis.Redis.from_url(self.stack.valkey.administrator_url()).flushall()
        for url in aws.sqs().list_queues(QueueNamePrefix="coruscant-").get("QueueUrls", []):
            aws.sqs().purge_queue(QueueUrl=url)


def eventually(true: Callable[[], object], what: str, seconds: float, pause: float = 0.05) -> None:
    """Wait until something is true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(pause)


def _replace(connection: "psycopg.Connection[Any]", target: str, source: str) -> None:
    names = {"target": sql.Identifier(target), "source": sql.Identifier(source), "role": sql.Identifier(OWNER)}
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (%s, %s)", (target, source)
    )
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {target} WITH (FORCE)").format(**names))
    connection.execute(
        sql.SQL("CREATE DATABASE {target} TEMPLATE {source} STRATEGY FILE_COPY OWNER {role}").format(**names)
    )


def _set_up_django() -> None:
    import django

    django.setup()
