"""A backup to go back to, and a standby that takes over, each with what was committed before and after."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.postgres import PostgresServer
from local.stack.standby import Standby, commit_alone

KEPT = "SELECT how FROM kept ORDER BY how"


@pytest.fixture
def primary(folder: Path) -> Iterator[PostgresServer]:
    """A primary with a table of one row."""
    server = PostgresServer(folder / "primary", folder / "logs")
    try:
        server.start()
        server.ask("CREATE TABLE kept (how text)")
        server.ask("INSERT INTO kept VALUES ('before')")
        yield server
    finally:
        server.kill()


@pytest.fixture
def standby(primary: PostgresServer, folder: Path) -> Iterator[Standby]:
    """A standby that follows it."""
    server = Standby(primary, folder / "standby", folder / "logs")
    try:
        server.start()
        yield server
    finally:
        server.kill()


def timeline(server: PostgresServer) -> str:
    ((name,),) = server.ask("SELECT pg_walfile_name(pg_current_wal_lsn())")
    return str(name)[:8]


def test_a_backup_has_what_was_committed_before_it_and_begins_a_timeline(primary: PostgresServer) -> None:
    port, backup = primary.port, primary.data.with_name("backup")
    primary.back_up(backup)
    primary.ask("INSERT INTO kept VALUES ('lost')")
    primary.restore(backup)
    assert primary.ask(KEPT) == [("before",)]
    assert (primary.port, timeline(primary)) == (port, "00000002")
    primary.ask("INSERT INTO kept VALUES ('after')")
    primary.stop_immediately()
    primary.start()
    assert primary.ask(KEPT) == [("after",), ("before",)]
    assert timeline(primary) == "00000002"


def test_a_synchronous_standby_takes_over_at_the_same_address_with_everything(
    primary: PostgresServer, standby: Standby
) -> None:
    port = primary.port
    standby.make_synchronous()
    primary.ask("INSERT INTO kept VALUES ('committed by both')")
    standby.take_over()
    assert primary.ask(KEPT) == [("before",), ("committed by both",)]
    assert (primary.port, timeline(primary)) == (port, "00000002")
    primary.ask("INSERT INTO kept VALUES ('without a standby')")


def test_a_standby_that_is_cut_off_knows_when_its_last_commit_was_and_takes_over_without_later_ones(
    primary: PostgresServer, standby: Standby
) -> None:
    standby.make_synchronous()
    ((before,),) = primary.ask("INSERT INTO kept VALUES ('heard') RETURNING now()")
    commit_alone(primary)
    standby.cut_off()
    ((after,),) = primary.ask("INSERT INTO kept VALUES ('lost') RETURNING now()")
    assert before <= standby.last_commit() < after
    standby.take_over()
    assert primary.ask(KEPT) == [("before",), ("heard",)]


def test_a_primary_that_waits_for_its_standby_can_be_told_to_commit_alone(
    primary: PostgresServer, standby: Standby
) -> None:
    standby.make_synchronous()
    standby.kill()
    primary.kill()
    primary.start()
    assert primary.ask("SHOW synchronous_standby_names") == [("*",)]
    commit_alone(primary)
    primary.ask("INSERT INTO kept VALUES ('alone')")
    assert primary.ask(KEPT) == [("alone",), ("before",)]
