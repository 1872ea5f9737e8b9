"""The web process under attack: gunicorn on a database of its own, for a client with a credential."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection

from local.processes import WEB, Web, with_this_python
from local.stack import ChildProcess, EmbeddedStack
from local.stack.listening import on_a_free_port, wait_until_listening

ROOT = Path(__file__).resolve().parents[2]
CLIENT = "fuzzer"
#: Prices are recorded once and must live as long as the attack.
LONG_SECONDS = "86400"
_TABLES = (
    "loans_loan",
    "loans_historicalloan",
    "loans_collateralposting",
    "loans_historicalcollateralposting",
    "loans_acceptedrequest",
)


class Service:
    """Where it listens, the credential it knows, and what it has logged."""

    def __init__(self, process: ChildProcess, port: int, credential: str) -> None:
        """Describe a process; `serving` runs it."""
        self.process = process
        self.port = port
        self.authorization = f"Token {credential}"
        self._read_to = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def ready(self) -> bool:
        """Whether it answers and reaches the database."""
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as http:
                http.request("GET", "/health/ready")
                return http.getresponse().status == 200
        except OSError:
            return False

    def events(self) -> list[dict[str, Any]]:
        """What was logged since the last call, but for lines that are not the service's own."""
        with self.process.log_path.open("rb") as log:
            log.seek(self._read_to)
            written = log.read()
            self._read_to = log.tell()
        lines = [line for line in written.decode(errors="replace").splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines]

    def failures(self) -> list[str]:
        """The errors among what was logged since the last call."""
        return errors(self.events())


def errors(events: list[dict[str, Any]]) -> list[str]:
    """The errors among logged events, each as a line."""
    return [json.dumps(event)[:2000] for event in events if event.get("level") in {"error", "critical"}]


def row_counts() -> dict[str, int]:
    """How many rows each table has that a request may write."""
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in _TABLES))
        return dict(cursor.fetchall())


@contextmanager
def serving(stack: EmbeddedStack, *, processes: int = 2, threads: int = 8) -> Iterator[Service]:
    """Run the service on the database that Django's default connection uses; it starts without loans or prices."""
    process, port = on_a_free_port(lambda port: _start(stack, port, replace(WEB, processes=processes, threads=threads)))
    service = Service(process, port, _credential())
    try:
        deadline = time.monotonic() + 30
        while not service.ready():
            if time.monotonic() > deadline:
                raise RuntimeError(f"The service does not answer.{process.log_tail()}")
            time.sleep(0.05)
        yield service
    finally:
        process.stop()


def _start(stack: EmbeddedStack, port: int, web: Web) -> tuple[ChildProcess, int]:
    """Start the web process and wait until it listens on `port`. Raises PortTakenError if another does."""
    database, _, _name = stack.postgres.database_url.rpartition("/")
    process = ChildProcess(
        "fuzzed web",
        with_this_python(web.command(f"127.0.0.1:{port}", "--no-control-socket", "--log-level", "warning")),
        log_path=stack.log_folder / "fuzzed-web.log",
        environment=os.environ
        | {
            "DATABASE_URL": f"{database}/{connection.settings_dict['NAME']}",
            "API_ALLOW_ANONYMOUS": "false",
            "PRICE_MAX_AGE_SECONDS": LONG_SECONDS,
            "FEED_MAX_LAG_SECONDS": LONG_SECONDS,
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "INFO",
        },
        folder=ROOT,
    )
    process.start()
    wait_until_listening(process, port)
    return process, port


def _credential() -> str:
    written = StringIO()
    call_command("create_api_credential", CLIENT, stdout=written, stderr=StringIO())
    return written.getvalue().strip()
