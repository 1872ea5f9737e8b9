"""A process starts with exactly the secrets that it needs, and with none of the others."""

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import requests
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.backends.dummy.base import DatabaseWrapper
from kombu import Connection

from coruscant.deploy import secrets
from coruscant.monitoring import signs_of_life
from coruscant.redis_cache import SealedRedisCache
from coruscant.tests.test_settings import GOOD, start  # noqa: F401  (a fixture)
from local.processes import BEAT, FLOWER, WEB, WORKERS, with_this_python
from local.stack.ports import free_port
from tests.compose import read_services

ROOT = Path(__file__).resolve().parents[3]
QUEUES = [queue.name for queue in settings.CELERY_TASK_QUEUES]
#: kombu's key of who listens to events of tasks and workers.
LISTENERS = "_kombu.binding.celeryev"


def good_for(process, **changed):
    """Settings for a process, with none of the secrets that it does not need."""
    others = (secrets.NEEDED_BY_ALL | secrets.AWS) - secrets.NEEDED[process]
    return {name: value for name, value in (GOOD | changed | {"PROCESS": process}).items() if name not in others}


def test_beat_and_flower_have_neither_a_database_nor_keys_of_aws():
    assert secrets.NEEDED["beat"] == secrets.NEEDED_BY_ALL - {"DATABASE_URL"}
    assert secrets.NEEDED["flower"] == secrets.NEEDED["beat"] - {"CACHE_URL"}


def test_what_serves_or_works_needs_all_and_whoever_talks_to_aws_its_keys():
    serving = {"web", *(f"worker-{name}" for name in WORKERS)}
    assert set(secrets.NEEDED) - set(secrets.FEWER) == serving
    assert all(secrets.NEEDED[name] >= secrets.NEEDED_BY_ALL for name in serving)


@pytest.mark.parametrize("process", secrets.FEWER)
def test_a_process_starts_without_what_it_does_not_need(start, process):  # noqa: F811
    settings = start(**dict.fromkeys(secrets.withheld_from(process)), PROCESS=process)
    assert settings["PROCESS"] == process


@pytest.mark.parametrize("process", [secrets.ANY, *secrets.FEWER])
def test_a_process_does_not_start_without_what_it_needs(start, process):  # noqa: F811
    withheld = secrets.withheld_from(process)
    for name in secrets.NEEDED_BY_ALL - withheld:
        with pytest.raises(SystemExit, match=rf"^Bad configuration: {name} must be set\.$"):
            start(**dict.fromkeys(withheld), PROCESS=process, **{name: None})


def test_a_secret_that_a_process_does_not_need_is_not_read_even_where_it_is_given(start):  # noqa: F811
    migrates, others = repr(start(PROCESS="migrate")), repr(start())
    for name in secrets.withheld_from("migrate"):
        assert (GOOD[name] in migrates, GOOD[name] in others) == (False, True)


def test_an_unknown_process_is_refused_in_words(start):  # noqa: F811
    with pytest.raises(SystemExit, match=r"^Bad configuration: PROCESS must be one of any, beat, flower, migrate, "):
        start(PROCESS="bet")


def test_what_is_withheld_refuses_to_be_used_in_one_sentence(start):  # noqa: F811
    fewest, migrate = start(PROCESS="flower"), start(PROCESS="migrate")
    cache = SealedRedisCache(fewest["CACHES"]["default"]["LOCATION"], {})
    with pytest.raises(ValueError, match="Redis URL must specify one"):
        cache.get("price")
    assert fewest["DATABASES"]["default"]["ENGINE"] == DatabaseWrapper.__module__.removesuffix(".base")
    with pytest.raises(ImproperlyConfigured, match=r"settings\.DATABASES is improperly configured"):
        DatabaseWrapper(fewest["DATABASES"]["default"]).cursor()
    with pytest.raises(KeyError, match="No such transport: none"):
        Connection(migrate["CELERY_BROKER_URL"]).connect()
    said = "from django.conf import settings; settings.SECRET_KEY"
    ended = subprocess.run(
        [sys.executable, "-c", said], cwd=ROOT, capture_output=True, text=True, check=False,
        env=good_for("migrate", DJANGO_SETTINGS_MODULE="coruscant.settings"),
    )  # fmt: skip
    assert ended.stderr.splitlines()[-1].endswith("ImproperlyConfigured: The SECRET_KEY setting must not be empty.")


@pytest.mark.parametrize(
    "command", [WEB.command("127.0.0.1:1"), WORKERS["risk"].command("refused@%h")], ids=["web", "worker"]
)
def test_neither_the_web_nor_a_worker_passes_for_a_process_with_fewer_secrets(command):
    ended = subprocess.run(
        with_this_python(command), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env=good_for("beat", HOME=os.environ["HOME"]),
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "Bad configuration: PROCESS must not be beat where DATABASE_URL is needed."
    )


@contextmanager
def running(command, service, stack, **changed):
    """A process in the environment that compose gives to a service, with the addresses of these stores."""
    environment = read_services(stack.environment | {"SECRET_KEY": settings.SECRET_KEY})[service]["environment"]
    assert set(environment) & (secrets.NEEDED_BY_ALL | secrets.AWS) == secrets.NEEDED[service]
    process = subprocess.Popen(
        with_this_python(command), cwd=ROOT, stderr=subprocess.PIPE, text=True,
        env=environment | {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "DOTENV": os.devnull} | changed,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def eventually(look, process, within=60):
    """Wait until `look` is true, while the process runs."""
    until = time.monotonic() + within
    while not look():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.django_db(transaction=True)
def test_a_release_is_prepared_with_the_secrets_of_its_two_jobs_alone(stack, emulator):
    """The database is there, so `migrate` finds nothing to do but what it does each time."""
    address = f"{stack.owner_environment['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    given = stack.environment | {"DATABASE_URL": address, "AWS_ENDPOINT_URL": emulator.endpoint_url, "DEMO": "true"}
    for process, command in (("migrate", ["migrate", "--noinput"]), ("provision", ["provision_messaging"])):
        ended = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, capture_output=True, text=True, check=False,
            env=good_for(process, **given),
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr


@pytest.fixture
def broker(stack):
    """The broker, without a poll that waits and without anybody who listens to events, before and after."""
    with redis.Redis.from_url(stack.environment["CELERY_BROKER_URL"]) as client:
        client.delete(*QUEUES, LISTENERS)
        yield client
        client.delete(*QUEUES, LISTENERS)


def test_a_beat_enqueues_and_gives_its_sign_of_life_with_its_secrets_alone(stack, broker, clean_cache, tmp_path):
    heartbeat = tmp_path / "heartbeat"
    command = BEAT.command(str(tmp_path / "schedule"))
    with running(command, "beat", stack, HEARTBEAT_FILE=str(heartbeat)) as beat:
        eventually(lambda: broker.llen("prices"), beat)
        eventually(lambda: signs_of_life.read()[signs_of_life.BEAT].alive == 1, beat)
        eventually(heartbeat.exists, beat)


def test_flower_listens_to_the_broker_and_answers_with_its_secrets_alone(stack, broker):
    port = free_port()
    (probe,) = re.findall(r"http://\S+:5555\S+(?=')", read_services()["flower"]["healthcheck"]["test"][-1])

    def answers():
        try:
            return requests.get(probe.replace("5555", str(port)), timeout=3).ok
        except requests.ConnectionError:
            return False

    with running(FLOWER.command("127.0.0.1", port), "flower", stack) as flower:
        eventually(answers, flower)
        eventually(lambda: broker.smembers(LISTENERS), flower)
