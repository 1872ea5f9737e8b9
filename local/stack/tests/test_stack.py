"""Start, stop and start again of the stack and of each of its servers."""

import os
import signal
import sys
from pathlib import Path
from shutil import rmtree

import boto3
import psycopg
import pytest
import redis
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from local.stack import ChildProcess, EmbeddedStack, EmbeddedStackError
from local.stack.tests.conftest import processes_mentioning

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


def setting(stack: EmbeddedStack, name: str) -> str:
    """Return a setting of PostgreSQL as the service's role sees it."""
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def test_environment_points_at_servers_that_answer(stack: EmbeddedStack) -> None:
    assert redis.Redis.from_url(stack.environment["CELERY_BROKER_URL"]).ping()
    assert redis.Redis.from_url(stack.environment["CACHE_URL"]).ping()
    assert setting(stack, "TimeZone") == "UTC"
    assert setting(stack, "server_encoding") == "UTF8"
    assert setting(stack, "max_connections") == "400"


def test_owner_may_create_databases_but_is_no_superuser(stack: EmbeddedStack) -> None:
    with psycopg.connect(stack.owner_environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE DATABASE made_by_a_test")
        connection.execute("DROP DATABASE made_by_a_test")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET session_replication_role = replica")
    with psycopg.connect(stack.superuser_database_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")


def test_service_may_use_what_the_owner_has_made_and_make_nothing_itself(stack: EmbeddedStack) -> None:
    with psycopg.connect(stack.owner_environment["DATABASE_URL"], autocommit=True) as owner:
        owner.execute("CREATE TABLE made_by_the_owner ()")
    with psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as service:
        assert service.execute("SELECT * FROM made_by_the_owner").fetchall() == []
        for statement in ("DROP TABLE made_by_the_owner", "CREATE TABLE another ()", "CREATE DATABASE another"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute(statement)


def test_what_the_service_owned_in_an_earlier_release_becomes_the_owners(folder: Path) -> None:
    with EmbeddedStack(folder=folder, durable=False) as stack:
        stack.postgres.ask("CREATE DATABASE of_a_test OWNER coruscant")
        with psycopg.connect(stack.superuser_database_url, autocommit=True) as superuser:
            superuser.execute("ALTER DATABASE coruscant OWNER TO coruscant")
            superuser.execute("CREATE TABLE kept (id bigint GENERATED ALWAYS AS IDENTITY)")
            superuser.execute("ALTER TABLE kept OWNER TO coruscant")
        stack.postgres.make_role_and_database()
        owners = stack.postgres.ask("SELECT DISTINCT datdba::regrole::text FROM pg_database WHERE NOT datistemplate")
        assert sorted(owners) == [("coruscant_owner",), ("postgres",)]
        with psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as service:
            assert service.execute("SELECT * FROM kept").fetchall() == []
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute("INSERT INTO kept DEFAULT VALUES")


def test_durability_is_on_unless_turned_off(stack: EmbeddedStack, folder: Path) -> None:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    assert [setting(stack, name) for name in names] == ["on", "on", "on"]
    with EmbeddedStack(folder=folder, durable=False) as hasty:
        assert [setting(hasty, name) for name in names] == ["off", "off", "off"]


@pytest.mark.parametrize("how", ["stop", "stop_immediately", "kill"])
def test_postgresql_keeps_its_data_over(how: str, stack: EmbeddedStack) -> None:
    url = stack.owner_environment["DATABASE_URL"]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (how text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [how])
    getattr(stack.postgres, how)()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    stack.postgres.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM kept WHERE how = %s", [how]).fetchone() == (1,)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_valkey_comes_back_empty_on_the_same_port_after(how: str, stack: EmbeddedStack) -> None:
    client = redis.Redis.from_url(stack.valkey.administrator_url(), retry=None)
    client.set("key", "value")
    getattr(stack.valkey, how)()
    with pytest.raises(redis.ConnectionError):
        client.get("key")
    stack.valkey.start()
    assert client.get("key") is None


def test_sns_sqs_keeps_queues_over_a_stop_and_loses_them_in_a_kill(stack: EmbeddedStack) -> None:
    environment = stack.environment
    client = boto3.client(
        "sqs",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )
    queue = client.create_queue(QueueName="prices")["QueueUrl"]
    client.send_message(QueueUrl=queue, MessageBody="a price")
    stack.sns_sqs.stop()
    with pytest.raises(BotoCoreError):
        client.list_queues()
    stack.sns_sqs.start()
    assert client.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "a price"
    stack.sns_sqs.kill()
    stack.sns_sqs.start()
    assert not client.list_queues().get("QueueUrls")


def test_paused_server_answers_nothing_until_resumed(stack: EmbeddedStack) -> None:
    client = redis.Redis.from_url(stack.environment["CACHE_URL"], retry=None, socket_timeout=0.2)
    stack.valkey.pause()
    with pytest.raises(redis.TimeoutError):
        client.ping()
    stack.valkey.resume()
    assert client.ping()


def test_paused_server_can_be_stopped(stack: EmbeddedStack) -> None:
    stack.valkey.pause()
    stack.valkey.stop()
    assert not stack.valkey.running
    stack.valkey.start()


def test_folder_takes_one_stack_at_a_time(stack: EmbeddedStack) -> None:
    with pytest.raises(EmbeddedStackError, match=f"in use by process {os.getpid()}"):
        EmbeddedStack(folder=stack.folder).start()
    assert stack.postgres.running


@linux_only
def test_stop_leaves_no_process_and_next_start_finds_the_data(folder: Path) -> None:
    for expected in (0, 1):
        with EmbeddedStack(folder=folder, durable=False) as stack:
            with psycopg.connect(stack.owner_environment["DATABASE_URL"]) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS runs (id int)")
                assert connection.execute("SELECT count(*) FROM runs").fetchone() == (expected,)
                connection.execute("INSERT INTO runs VALUES (1)")
            assert processes_mentioning(str(folder))
        assert processes_mentioning(str(folder)) == []


@pytest.mark.parametrize(
    "pid", ["1", "999999999", str(os.getpid()), "rubbish"], ids=["init", "unused", "own", "rubbish"]
)
def test_stale_lock_file_of_postgresql_does_not_matter(pid: str, folder: Path) -> None:
    with EmbeddedStack(folder=folder, durable=False) as stack:
        data = stack.postgres.folder.resolve()
        stack.postgres.kill()
    (data / "postmaster.pid").write_text(f"{pid}\n{data}\n")
    with EmbeddedStack(folder=folder, durable=False) as stack:
        assert setting(stack, "port") == str(stack.postgres.port)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its rights away")
def test_as_root_a_private_folder_is_replaced_by_one_that_can_be_reached(folder: Path) -> None:
    folder.chmod(0o700)
    with EmbeddedStack(folder=folder, durable=False) as stack:
        data = stack.postgres.folder.resolve()
        assert not data.is_relative_to(folder)
        assert (data / "postmaster.pid").exists()
    with EmbeddedStack(folder=folder, durable=False) as stack:
        assert stack.postgres.folder.resolve() == data
    rmtree(data)


def test_server_that_cannot_start_says_why(folder: Path) -> None:
    with EmbeddedStack(folder=folder, durable=False) as stack:
        data = stack.postgres.folder.resolve()
    (data / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedStackError, match="postgresql ended with code 1") as caught:
        EmbeddedStack(folder=folder, durable=False).start()
    assert "no_such_setting" in str(caught.value)


def test_command_that_does_not_exist_says_so(folder: Path) -> None:
    process = ChildProcess("nothing", ["/no/such/command"], log_path=folder / "nothing.log")
    process.start()
    assert process.wait(5) == 127
    assert "Cannot run /no/such/command" in process.log_tail()


def test_exit_code_says_how_a_process_ended(folder: Path) -> None:
    process = ChildProcess("sleep", ["sleep", "60"], log_path=folder / "sleep.log")
    process.start()
    process.send(signal.SIGKILL)
    assert process.wait(5) == 128 + signal.SIGKILL
