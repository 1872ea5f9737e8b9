"""deploy/valkey-users.acl: what the cache's user and the broker's may not. What they may, all other tests show."""

import subprocess

import pytest
import redis
from redis.exceptions import AuthenticationError, NoPermissionError

from coruscant.celery import app
from local.stack.valkey import USERS
from tests.compose import read_services

USERS_OF = dict(line.split(" ", 2)[1:] for line in USERS.read_text().splitlines())
CACHE_KEY = "coruscant-sealed:1:droid"

CACHES = [
    ("SET", CACHE_KEY, "1"), ("MGET", CACHE_KEY), ("DEL", CACHE_KEY), ("INCRBY", CACHE_KEY, "1"),
    ("EXPIRE", CACHE_KEY, "1"), ("ZADD", CACHE_KEY, "1", "droid"), ("ZRANGE", CACHE_KEY, "0", "1"),
    ("ZREM", CACHE_KEY, "droid"), ("ZREMRANGEBYSCORE", CACHE_KEY, "0", "1"),
]  # fmt: skip
BROKERS = [
    *(command for queue in app.amqp.queues for command in (("LPUSH", queue, "1"), ("BRPOP", queue, "1"))),
    ("LLEN", "risk"), ("TYPE", "risk"), ("DEL", "risk"), ("SET", "risk", "1"), ("GET", "unacked_mutex"),
    ("HSET", "unacked", "1", "1"), ("ZADD", "unacked_index", "1", "1"), ("SMEMBERS", "_kombu.binding.celery.pidbox"),
    ("PUBLISH", "/0.celery.pidbox", "1"), ("PSUBSCRIBE", "/0.celeryev/*"), ("EVALSHA", "0" * 40, "0"),
]  # fmt: skip
NOBODYS = [
    ("FLUSHALL",), ("FLUSHDB",), ("KEYS", "*"), ("SCAN", "0"), ("CONFIG", "GET", "*"), ("CONFIG", "SET", "dir", "/"),
    ("ACL", "LIST"), ("ACL", "SETUSER", "x"), ("CLIENT", "LIST"), ("CLIENT", "KILL", "x"),
    ("MONITOR",), ("SAVE",), ("BGREWRITEAOF",), ("SHUTDOWN",), ("REPLICAOF", "no", "one"), ("MODULE", "LIST"),
    ("EVAL", "return 1", "0"), ("FUNCTION", "LIST"), ("SCRIPT", "FLUSH"), ("SWAPDB", "0", "1"),
    ("RENAME", "risk", "events"), ("SET", "somebody's", "1"), ("LPUSH", "somebody's", "1"), ("PUBLISH", "other", "1"),
    ("PSUBSCRIBE", "*"), ("APPEND", CACHE_KEY, "1"), ("SORT", "risk"), ("DUMP", CACHE_KEY),
]  # fmt: skip


@pytest.fixture(params=["cache", "broker"])
def user(request, stack):
    with redis.Redis.from_url(getattr(stack.valkey, f"{request.param}_url")) as connection:
        connection.name = request.param
        yield connection


def test_each_user_is_refused_what_only_the_other_or_nobody_may(user):
    assert user.execute_command("ACL WHOAMI") == f"coruscant_{user.name}"
    for command in [*(BROKERS if user.name == "cache" else CACHES), *NOBODYS]:
        with pytest.raises(NoPermissionError):
            user.execute_command(*command)


def test_each_user_may_do_what_the_other_is_refused_and_neither_debugs(stack):
    """Else a refusal would say nothing."""
    with redis.Redis.from_url(stack.valkey.administrator_url()) as administrator:
        for name, commands in (("cache", CACHES), ("broker", BROKERS)):
            for command in commands:
                allowed = administrator.execute_command("ACL DRYRUN", f"coruscant_{name}", *command)
                assert allowed == b"OK", command
            debug = administrator.execute_command("ACL DRYRUN", f"coruscant_{name}", "DEBUG", "SLEEP", "0")
            assert b"no permissions" in debug  # which this server refuses to everybody before it looks at who asks


def test_nobody_comes_in_without_a_name_and_a_password(stack):
    address = f"{stack.valkey.host}:{stack.valkey.port}/0"
    for who in ("", ":coruscant@", "default:@", "coruscant_cache:guess@"):
        with redis.Redis.from_url(f"redis://{who}{address}") as nobody, pytest.raises(AuthenticationError):
            nobody.ping()


def test_the_brokers_queues_are_those_of_celery():
    keys = {rule[1:] for rule in USERS_OF["coruscant_broker"].split() if rule.startswith("~")}
    queues = {key for key in keys if not key.startswith(("unacked", "_kombu.", "*.", "celeryev"))}
    assert queues == set(app.amqp.queues)


def test_the_file_has_no_password_and_no_server_starts_with_it_as_it_is(stack, tmp_path):
    binary = stack.valkey.process.command[0]
    users = tmp_path / "users.acl"
    users.write_text(USERS.read_text())
    command = [binary, "--port", "0", "--aclfile", str(users)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20, cwd=tmp_path)
    assert ran.returncode == 1
    assert "password hash" in ran.stdout


def test_compose_gives_valkey_these_users():
    service = read_services()["redis"]
    assert "./deploy/valkey-users.acl:/etc/valkey/users.acl:ro,z" in service["volumes"]
    assert "--aclfile" in service["command"][-1]
    web = read_services()["web"]["environment"]
    assert web["CACHE_URL"].startswith("redis://coruscant_cache:coruscant@")
    assert web["CELERY_BROKER_URL"].startswith("redis://coruscant_broker:coruscant@")
