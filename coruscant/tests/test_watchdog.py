"""A worker or beat whose loop stands still is ended; one that waits for its broker is not. Real processes."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from kombu import Connection

from coruscant.celery import app
from coruscant.tests.wire import Wire
from local.processes import BEAT, WORKERS
from local.stack.valkey import PASSWORD

pytestmark = pytest.mark.system

STANDSTILL_SECONDS = 8
#: kombu's own checks of its connections take up to 40 s.
WORKS_WITHIN_SECONDS = 90
ROOT = Path(__file__).resolve().parents[2]
#: Celery's command line, with a watchdog of less patience.
CELERY = f"""
import time
from celery.__main__ import main
from coruscant import watchdog
watchdog.LONGEST_STANDSTILL_SECONDS, watchdog.SAYS_EVERY_SECONDS = {STANDSTILL_SECONDS}, 0.5
"""
STANDS_STILL = """
start, tick = watchdog.WatchedConsumer.start, watchdog.WatchedScheduler.tick

def start_and_stand_still(self, parent):
    start(self, parent)
    parent.timer.call_after(3, time.sleep, (3600,))

def tick_and_stand_still(self, *args, **kwargs):
    tick(self, *args, **kwargs)
    time.sleep(3600)

watchdog.WatchedConsumer.start, watchdog.WatchedScheduler.tick = start_and_stand_still, tick_and_stand_still
"""
MAIN = "\nmain()"


@pytest.fixture
def wire(stack):
    with Wire("127.0.0.1", stack.valkey.port) as between:
        yield between


@contextmanager
def running(command, wire, folder, *, prepare=""):
    """A process whose broker is at the other end of the wire, in a process group of its own."""
    environment = os.environ | {
        "CELERY_BROKER_URL": f"redis://administrator:{PASSWORD}@127.0.0.1:{wire.port}/7",
        "HEARTBEAT_FILE": str(folder / "heartbeat"),
    }
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", CELERY + prepare + MAIN, *command[1:]],
            cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: goes_round(folder), folder)
        yield process
    finally:
        if group_lives(process):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


def goes_round(folder):
    heartbeat = folder / "heartbeat"
    return heartbeat.exists() and time.time() - heartbeat.stat().st_mtime < 1


def group_lives(process):
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition, folder, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, (folder / "output").read_text()[-4000:]
        time.sleep(0.1)


COMMANDS = {
    "prefork": WORKERS["risk"].command("risk@watchdog"),
    "threads": WORKERS["sales"].command("sales@watchdog"),
    "beat": BEAT.command("schedule"),
}


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_process_whose_loop_stands_still_says_where_and_ends_with_its_children(kind, wire, tmp_path):
    command = [word if word != "schedule" else str(tmp_path / word) for word in COMMANDS[kind]]
    with running(command, wire, tmp_path, prepare=STANDS_STILL) as process:
        wait_until(lambda: not group_lives(process), tmp_path)
        assert process.returncode == 1
    output = (tmp_path / "output").read_text()
    assert "Timeout (0:00:08)!" in output
    assert 'File "<string>", line' in output


def test_a_worker_without_a_broker_waits_for_it_and_works_again(wire, tmp_path):
    with running(COMMANDS["threads"], wire, tmp_path) as worker:
        wire.refuse()
        time.sleep(STANDSTILL_SECONDS * 1.5)
        assert not goes_round(tmp_path)
        assert worker.poll() is None
        wire.pass_on()
        wait_until(lambda: goes_round(tmp_path), tmp_path)


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", sorted(WORKERS))
def test_a_worker_works_or_has_ended_soon_after_its_new_connections_fell_silent(kind, wire, tmp_path, stack):
    """Which of both depends on what it was reading. Without the watchdog some would wait for ever."""
    worker = WORKERS[kind]
    address = stack.valkey.administrator_url(7)
    with (
        running(worker.command(f"{kind}@watchdog"), wire, tmp_path) as process,
        redis.Redis.from_url(address) as broker,
    ):
        wire.reset_and_fall_silent(after_seconds=0.1)
        time.sleep(STANDSTILL_SECONDS * 1.5)
        wire.pass_on()
        with Connection(address) as connection:
            app.send_task("a task that nobody knows", queue=worker.queues[0], connection=connection)
        wait_until(
            lambda: process.poll() == 1 or broker.llen(worker.queues[0]) == 0, tmp_path, WORKS_WITHIN_SECONDS
        )  # fmt: skip
        broker.flushdb()
