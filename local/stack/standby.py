"""A standby of the embedded PostgreSQL, which takes over when the primary is gone."""

import time
from datetime import datetime
from pathlib import Path

from local.stack.errors import EmbeddedStackError
from local.stack.postgres import PostgresServer
from local.stack.process import POLL_SECONDS


class Standby(PostgresServer):
    """A copy of a primary that follows it. The first start makes the copy, so the primary must run then."""

    name = "standby"

    def __init__(self, primary: PostgresServer, folder: Path, log_folder: Path) -> None:
        """Keep the copy in `folder`."""
        super().__init__(folder, log_folder, durable=primary.durable, settings=primary.settings)
        self._primary = primary

    def start(self) -> None:
        """Start the server and wait until it answers, as a standby or promoted."""
        self.launch()
        self.wait_until_ready()

    def make_synchronous(self) -> None:
        """Let the primary commit nothing that this standby has not written; return once that holds.

        The primary keeps this over a restart, and without its standby it then commits nothing: see `commit_alone`.
        """
        self._primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._primary.ask("SELECT pg_reload_conf()")
        deadline = time.monotonic() + self.ready_within_seconds
        while not self._primary.ask("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"):
            if time.monotonic() > deadline:
                raise EmbeddedStackError(f"{self.name} did not become synchronous.{self.process.log_tail()}")
            time.sleep(POLL_SECONDS)

    def cut_off(self) -> None:
        """Let it hear nothing more of the primary, as if the network between them were gone."""
        self.ask("ALTER SYSTEM SET primary_conninfo = ''")
        self.ask("SELECT pg_reload_conf()")
        deadline = time.monotonic() + self.ready_within_seconds
        while self.ask("SELECT 1 FROM pg_stat_wal_receiver"):
            if time.monotonic() > deadline:
                raise EmbeddedStackError(f"{self.name} goes on following the primary.{self.process.log_tail()}")
            time.sleep(POLL_SECONDS)

    def last_commit(self) -> datetime:
        """When the last commit that it has was made, by the primary's clock. Ask before it is promoted.

        Raises EmbeddedStackError if it has none.
        """
        ((found,),) = self.ask("SELECT pg_last_xact_replay_timestamp()")
        if not isinstance(found, datetime):
            raise EmbeddedStackError(f"{self.name} has heard of no commit.{self.process.log_tail()}")
        return found

    def promote(self) -> None:
        """Make it a primary, on a new timeline."""
        self.ask("SELECT pg_promote(true, 30)")

    def take_over(self) -> None:
        """Kill the primary with SIGKILL, promote this standby, and let it go on at the primary's address.

        The primary's data are removed and replaced by the standby's, so that the old primary takes no more writes.
        """
        self._primary.kill()
        self.promote()
        self.stop()
        self._primary.replace_data(self.data)
        self._primary.start()

    def _make_cluster(self, data: Path) -> None:
        self._primary.back_up(data, "-R")


def commit_alone(server: PostgresServer) -> None:
    """Let a primary commit without any standby, whatever an earlier run has left in its settings."""
    server.ask("ALTER SYSTEM RESET synchronous_standby_names")
    server.ask("SELECT pg_reload_conf()")
