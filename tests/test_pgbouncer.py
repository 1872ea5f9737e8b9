"""The database through PgBouncer in transaction mode, as docs/deploy.md sets it up. Skipped where there is none."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from psycopg import sql

from local.stack.ports import free_port
from local.stack.postgres import OWNER, ROLE
from proofs.service.running_service import running_service

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
LOANS = 8
DOCUMENTED = (ROOT / "docs" / "deploy.md").read_text()

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(PROGRAM is None, reason="needs pgbouncer: apt-get install pgbouncer"),
]


@contextmanager
def pgbouncer() -> Iterator[int]:
    """A PgBouncer in front of the tests' PostgreSQL; its port."""
    database, port = connection.settings_dict, free_port()
    configuration = [
        "[databases]", f"* = host={database['HOST']} port={database['PORT']}",
        "[pgbouncer]", "listen_addr = 127.0.0.1", f"listen_port = {port}", "unix_socket_dir =",
        "auth_type = plain", "auth_file = users.txt", "pool_mode = transaction",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # it gives up root
        (Path(folder) / "users.txt").write_text("".join(f'"{role}" "{role}"\n' for role in (OWNER, ROLE)))
        (Path(folder) / "pgbouncer.ini").write_text("\n".join(configuration) + "\n")
        as_nobody = ["-u", "nobody"] if os.getuid() == 0 else []
        process = subprocess.Popen([str(PROGRAM), *as_nobody, "pgbouncer.ini"], cwd=folder, stderr=subprocess.DEVNULL)
        try:
            wait_until_it_listens(port)
            yield port
        finally:
            process.kill()
            process.wait()


def wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "pgbouncer does not listen"
            time.sleep(0.05)
        else:
            return


@contextmanager
def through(port: int) -> Iterator[Any]:
    """Django's connection, as configured, by another port."""
    other = connection.copy()
    other.settings_dict["PORT"] = port
    with closing(other):
        yield other


@pytest.fixture
def documented_role(stack: Any) -> Iterator[None]:
    """The roles of tests and service with the time-outs that the documentation gives, in this database only."""
    database = sql.Identifier(connection.settings_dict["NAME"])
    given = re.findall(r"ALTER ROLE coruscant SET (\w+) = '(\w+)';", DOCUMENTED)
    assert len(given) == 3
    in_database = [
        sql.SQL("ALTER ROLE {} IN DATABASE {} ").format(sql.Identifier(role), database) for role in (OWNER, ROLE)
    ]
    with psycopg.connect(stack.superuser_database_url, autocommit=True) as superuser:
        for role in in_database:
            for name, value in given:
                superuser.execute(role + sql.SQL("SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        yield
        for role in in_database:
            superuser.execute(role + sql.SQL("RESET ALL"))


def time_outs(database: Any) -> list[tuple[str, ...]]:
    """What the service asks for at the start of a connection."""
    names = re.findall(r"-c (\w+)=", connection.settings_dict["OPTIONS"]["options"])
    with database.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name ILIKE ANY(%s) ORDER BY name", [names])
        found: list[tuple[str, ...]] = cursor.fetchall()
    assert len(found) == len(names) == 3
    return found


def test_pgbouncer_refuses_our_connections_as_it_comes() -> None:
    with pgbouncer() as port, through(port) as database, pytest.raises(OperationalError, match="options"):
        database.cursor()


def test_with_what_is_documented_connections_are_as_without_it(documented_role: None) -> None:
    with pgbouncer() as port, through(port) as database:
        del database.settings_dict["OPTIONS"]["options"]  # as DATABASE_POOLED does
        assert time_outs(database) == time_outs(connection)


@pytest.mark.proof
@pytest.mark.system
@pytest.mark.timeout(240)
def test_a_crash_of_prices_is_sold_through_it(
    documented_role: None, stack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pgbouncer() as port:
        monkeypatch.setenv("DATABASE_POOLED", "true")
        monkeypatch.setattr(stack.postgres, "port", port)
        with running_service(stack, fault_share=Decimal("0.3"), partial_share=Decimal("0.2")) as service:
            for number in range(LOANS):
                service.lend(f"L{number}", amount="1000", collateral=str(40 + number))
            service.eventually(lambda: service.loans("active") == LOANS, "all loans are active")
            service.set_price("25")
            service.eventually(lambda: service.loans("liquidated") == LOANS, "all are sold", seconds=120)
            service.eventually(service.everything_is_settled, "all events are sent")
            service.books_and_markets_agree()
            service.every_event_was_heard()
            assert service.get("/health/ready").json()["status"] == "ok"
            logs = "".join(process.log_path.read_text() for process in service.processes.values())
            assert "prepared statement" not in logs
