"""Faults of the servers: killed, emptied, cut off."""

import psycopg
import redis

from proofs.chaos.faults.fault import Fault


class ValkeyKilled(Fault):
    """Broker and cache are gone for a while, and come back empty."""

    name = "valkey-killed"
    what = "Valkey killed, down for a while, started empty"
    touches = frozenset({"valkey"})
    seen_as = r"Connection to broker lost|price_cache_down|task_not_enqueued"
    alerts_if_left = frozenset({"StoreSilent"})
    lasts_seconds = 6

    def inject(self) -> None:
        """Kill it and hold it down."""
        self.demo.hold_down(self.demo.stack.valkey)
        self.demo.stack.valkey.kill()

    def heal(self) -> None:
        """Start it."""
        self.demo.let_go(self.demo.stack.valkey)


class ValkeyFlushed(Fault):
    """Every queued task and every cached price vanishes, again and again."""

    name = "valkey-flushed"
    what = "FLUSHALL, once a second for a while"
    touches = frozenset({"valkey"})
    seen_as = r""
    lasts_seconds = 4

    def inject(self) -> None:
        """Flush."""
        with redis.Redis.from_url(self.demo.stack.valkey.administrator_url(), socket_timeout=5) as client:
            client.flushall()

    def go_on(self) -> None:
        """Flush again."""
        self.inject()


class PostgresStopped(Fault):
    """The database ends as in a crash (immediate mode), stays down for a while, and recovers from its log."""

    name = "postgres-stopped"
    what = "PostgreSQL stopped in immediate mode, down for a while, started"
    touches = frozenset({"postgres"})
    seen_as = r"OperationalError|database"
    alerts_if_left = frozenset({"ApiErrors"})
    lasts_seconds = 6

    def inject(self) -> None:
        """Stop it and hold it down."""
        self.demo.hold_down(self.demo.stack.postgres)
        self.demo.stack.postgres.stop_immediately()

    def heal(self) -> None:
        """Start it."""
        self.demo.let_go(self.demo.stack.postgres)


class ConnectionsTerminated(Fault):
    """Every connection to the database is ended by its administrator, again and again."""

    name = "connections-terminated"
    what = "pg_terminate_backend of every connection, once a second for a while"
    touches = frozenset({"postgres"})
    seen_as = r"terminating connection due to administrator command"
    seen_by_postgres = True  # a process whose connection was idle opens another, and loses nothing
    lasts_seconds = 4

    def inject(self) -> None:
        """End them."""
        with psycopg.connect(self.demo.stack.superuser_database_url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def go_on(self) -> None:
        """End those that were opened since."""
        self.inject()
