"""The doctor's checks of database, Redis, clocks and disk."""

import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError
from django.core import checks
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import ResponseError

from coruscant import aws, clock
from coruscant.celery import app
from coruscant.history.records import audited_models, history_of
from liquidation.monitoring.doctor.configuration import raise_if_any
from liquidation.monitoring.doctor.trouble import Trouble
from pricing.feeds import FEEDS

#: Leases and ages are reckoned in seconds. SQS tells its time in whole ones, so less than this shows nothing.
MOST_SKEW_SECONDS = 2.0
LEAST_FREE_BYTES = 16 * 1024 * 1024
LEAST_FREE_SHARE = 0.05

_ROLE = """
    SELECT current_user, rolsuper,
        (SELECT count(*) FROM pg_class
         WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relowner = pg_roles.oid),
        (SELECT count(*) FROM unnest(%s::text[]) AS history
         WHERE has_table_privilege(history, 'INSERT, UPDATE, DELETE, TRUNCATE'))
    FROM pg_roles WHERE rolname = current_user
"""


def migrations_are_applied() -> str:
    """The database has every migration of this version."""
    executor = MigrationExecutor(connection)
    missing = [str(migration) for migration, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    if missing:
        raise Trouble(f"{len(missing)} are missing, such as {missing[0]}.", "Run manage.py migrate as the owner.")
    return "all applied"


def database_checks_pass() -> str:
    """`manage.py check --database default` is silent: triggers of history, terms, and whatever else registers there."""
    raise_if_any(checks.run_checks(tags=[checks.Tags.database], databases=["default"]))
    return "history is written as the models ask for"


def role_has_no_more_than_it_needs() -> str:
    """The role is no superuser, owns no table, and cannot write history."""
    histories = [history_of(model)._meta.db_table for model in audited_models()]
    with connection.cursor() as cursor:
        cursor.execute(_ROLE, [histories])
        role, is_superuser, owned, writable = cursor.fetchone()
    found = [
        *(["is a superuser"] if is_superuser else []),
        *([f"owns {owned} tables, so it can drop their triggers"] if owned else []),
        *([f"can write {writable} tables of history"] if writable else []),
    ]
    if found:
        remedy = "Serve under another role than the one that migrates: docs/operations.md#database-roles."
        raise Trouble(f"{role} {', '.join(found)}.", remedy, only_with_real_money=True)
    return f"{role} owns nothing and writes no history"


def cache_answers() -> str:
    """What is written to the cache can be read again."""
    key, value = f"doctor.{uuid4()}", uuid4().hex
    cache.set(key, value, 10)
    found = cache.get(key)
    cache.delete(key)
    if found != value:
        raise Trouble("It keeps nothing that it is given.", "Look at its memory and its eviction policy.")
    _look_at_redis(cache.redis)  # type: ignore[attr-defined]  # of SealedRedisCache
    return "reads what was written"


def broker_answers() -> str:
    """The broker answers, and drops no messages when its memory is full."""
    with app.connection_for_write(connect_timeout=3) as broker:
        broker.ensure_connection(max_retries=1, timeout=3)
        channel: Any = broker.default_channel  # the stubs do not know it
        client = channel.client
        _look_at_redis(client)
        memory: dict[str, Any] = {}
        with suppress(ResponseError):  # its user may not ask
            memory = client.info("memory")
    policy = memory.get("maxmemory_policy", "noeviction")
    if memory.get("maxmemory") and policy != "noeviction":
        raise Trouble(f"Its maxmemory-policy is {policy}: it drops tasks.", "Set maxmemory-policy noeviction.")
    return "answers"


def _look_at_redis(client: Any) -> None:
    """Raise Trouble if the user of a connection may do everything."""
    with suppress(ResponseError):  # an older server, or a user who may not even ask who he is
        user = client.execute_command("ACL WHOAMI")
        if (user.decode() if isinstance(user, bytes) else user) == "default":
            remedy = "Give cache and broker a user each, with a password: docs/deploy.md#users-of-redis."
            raise Trouble("Its user is `default`, who may do everything.", remedy, only_with_real_money=True)


def clocks_agree() -> str:
    """The clocks of this machine, Redis and SQS agree with the database's, which decides."""
    others = {
        "this machine": lambda: datetime.now(tz=UTC),
        "Redis": _redis_time,
        "SQS": _sqs_time,
    }
    skewed = {}
    for name, read in others.items():
        before = clock.now()
        time = read()
        after = clock.now()
        skew = max((before - time).total_seconds(), (time - after).total_seconds(), 0.0)
        if skew > MOST_SKEW_SECONDS:
            skewed[name] = skew
    if skewed:
        found = " ".join(f"{name} differs by {skew:.1f} s from the database." for name, skew in skewed.items())
        raise Trouble(found, "Have all machines keep time by NTP; see `queue_clock_ahead` in docs/operations.md.")
    return f"agree within {MOST_SKEW_SECONDS:.0f} s"


def _redis_time() -> datetime:
    seconds, micros = cache.redis.time()  # type: ignore[attr-defined]
    return datetime.fromtimestamp(seconds + micros / 1_000_000, tz=UTC)


def _sqs_time() -> datetime:
    """Of any answer, one that there is no such queue too."""
    name = next(iter(FEEDS.values())).queue
    answer: Any
    try:
        answer = aws.sqs().get_queue_url(QueueName=name)
    except ClientError as error:
        answer = error.response
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])


def disk_has_room() -> str:
    """There is room for temporary files. The database's disk is not visible from here."""
    folder = tempfile.gettempdir()
    disk = shutil.disk_usage(folder)
    if disk.free < max(LEAST_FREE_BYTES, disk.total * LEAST_FREE_SHARE):
        free = f"{disk.free // 1024**2} of {disk.total // 1024**2} MiB are free at {folder}."
        raise Trouble(free, "Make room. Beats and workers write there, and logs may go there.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        (size,) = cursor.fetchone()
    return f"{disk.free // 1024**2} MiB free at {folder}; the database has {size}: compare with its own disk"
