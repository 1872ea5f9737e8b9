"""What becomes of what somebody plants in the broker: under queues' keys, in queues, in kombu's keys, in channels."""

import base64
import json
import os
import pickle
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.conf import settings as django_settings
from kombu import Exchange, Queue
from kombu.transport import get_transport_cls
from kombu.transport import redis as kombu_redis
from redis import Redis
from redis.exceptions import ReadOnlyError, ResponseError
from structlog.testing import capture_logs

from coruscant import broker as broker_module
from coruscant.celery import app

ROOT = Path(__file__).resolve().parents[2]
QUEUES = [queue.name for queue in django_settings.CELERY_TASK_QUEUES]
#: A worker of all queues with a task that says that it ran.
WORKER = """
from celery.__main__ import main
from coruscant.celery import app

@app.task(name="tests.say")
def say(*, word):
    print("ran", word, flush=True)

main()
"""


class Bomb:
    """Its pickle, once it is read, makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def redis(stack):
    """The connection that somebody else would have who may do everything in Redis; empty before and after."""
    with Redis.from_url(stack.valkey.administrator_url()) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def broker(redis):
    """A connection of the service."""
    with app.connection_for_write() as connection:
        yield connection


def forged(task="tests.say", body='[[], {"word": "forged"}, {}]', queue="risk", **headers):
    """A message as Celery sends it, without a seal."""
    return {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": task, "id": "1", "root_id": "1", "parent_id": None, **headers},
        "properties": {
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": queue},
            "delivery_mode": 2,
            "delivery_tag": "1",
            "priority": 0,
        },
    }


def shutdown():
    """A command to all workers, as `celery control` sends it, without a seal."""
    body = json.dumps({"method": "shutdown", "arguments": {}, "destination": None})
    message = forged(body=body, queue="")
    message["properties"]["delivery_info"]["exchange"] = "celery.pidbox"
    return json.dumps(message)


def nested(depth=200_000):
    return "[" * depth + "]" * depth


def planted_items(bomb):
    """What cannot be read, what is JSON and no message, and messages that nobody of the service has sent."""
    sealed_by_nobody = {"seal": "0" * 64, **forged()}
    messages = [
        forged(),
        sealed_by_nobody,
        forged(task="a task that nobody knows"),
        forged(task=["a list"]),
        forged(body=nested()),
        forged(body="[1, 2]"),
        forged(body='[[], {"nothing": "known"}, {}]'),
        forged(timelimit="none", eta=7),
        forged() | {"headers": "a text"},
        forged() | {"properties": {}},
        {},
    ]
    texts = [bomb, b"", b"\xff", b"7", b"null", b"[]", b'{"seal": "', nested().encode()]
    return [*texts, *(json.dumps(message).encode() for message in messages)]


@contextmanager
def running(folder):
    """A worker of all queues."""
    options = ["-A", "coruscant", "--quiet", "worker", "-Q", ",".join(QUEUES), "--pool", "threads", "-c", "1"]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, *options, "-n", "worker@broker", "--without-gossip", "--without-mingle"],
            cwd=ROOT, env=os.environ | {"LOG_FORMAT": "json"}, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


@pytest.mark.system
def test_nothing_that_is_planted_ends_a_worker_keeps_it_from_its_queues_or_is_run(redis, broker, tmp_path):
    bomb = pickle.dumps(Bomb(tmp_path / "ran"))
    words = map(str, count())
    output = tmp_path / "output"

    def until(true):
        deadline = time.monotonic() + 30
        while not true():
            assert worker.poll() is None, output.read_text()[-6000:]
            assert time.monotonic() < deadline, output.read_text()[-6000:]
            time.sleep(0.05)

    def works():
        """The worker lives, and does what it is sent, in each of the queues."""
        sent = [next(words) for _queue in QUEUES]
        for queue, word in zip(QUEUES, sent, strict=True):
            app.send_task("tests.say", kwargs={"word": word}, queue=queue, connection=broker)
        until(lambda: all(f"ran {word}\n" in output.read_text() for word in sent))

    kombus_keys = ["unacked", "unacked_index", "_kombu.binding_deadlines", "worker@broker.celery.pidbox"]
    kombus_keys += ["_kombu.binding.celery.pidbox", "_kombu.binding_permanent.celery.pidbox"]
    for key in [*QUEUES, *kombus_keys]:
        redis.set(key, bomb)
    with running(tmp_path) as worker:
        until(lambda: not redis.exists(*QUEUES))  # before anybody sends
        works()
        for key in [*QUEUES, *kombus_keys]:
            redis.delete(key)
            redis.set(key, bomb) if key in QUEUES else redis.rpush(key, bomb)
        until(lambda: not redis.exists(*QUEUES))
        works()
        for key in ("unacked", "unacked_index"):
            redis.set(key, bomb)  # and now it has a message to keep there
        works()
        for queue in QUEUES:
            redis.lpush(queue, *planted_items(bomb))
        for text in (shutdown(), nested(), bomb, b"\xff", b"7"):
            assert redis.publish("/0.celery.pidbox", text) == 1
        works()
        assert app.control.ping(timeout=5, limit=1) == [{"worker@broker": {"ok": "pong"}}]
        for queue in QUEUES:  # what our own releases might send each other
            app.send_task("a task that nobody knows", queue=queue, connection=broker)
            app.send_task("tests.say", kwargs={"nothing": "known"}, queue=queue, connection=broker)
        works()
        assert worker.poll() is None
    text = output.read_text()
    assert not (tmp_path / "ran").exists()
    assert "ran forged" not in text
    refused = [line for line in text.splitlines() if '"broker_message_refused"' in line]
    assert len(refused) == len(QUEUES) * len(planted_items(bomb)) + 5
    assert max(map(len, refused)) < 400
    assert "forged" not in text
    assert forged()["body"] not in text


def take(broker):
    """What a consumer gets from a queue, unless it is empty; it is not acknowledged yet."""
    taken = []
    risk = app.amqp.queues["risk"]
    with app.amqp.TaskConsumer(broker.channel(), [risk], on_message=taken.append), suppress(socket.timeout):
        broker.drain_events(timeout=0.5)
    return taken


def restore(broker):
    """Give back all that is overdue, as workers do now and then."""
    qos = broker.channel().qos
    qos.visibility_timeout = -1
    qos.restore_visible()


def test_a_message_that_nobody_acknowledges_is_given_back_as_it_was(redis, broker):
    app.send_task("a task that nobody knows", queue="risk", connection=broker, eta=datetime(2026, 1, 1, tzinfo=UTC))
    (sent,) = redis.lrange("risk", 0, -1)
    assert len(take(broker)) == 1
    assert (redis.llen("risk"), redis.hlen("unacked")) == (0, 1)
    with capture_logs() as logged:
        restore(broker)
    assert logged == []
    assert (redis.lrange("risk", 0, -1), redis.hlen("unacked"), redis.zcard("unacked_index")) == ([sent], 0, 0)
    (again,) = take(broker)
    again.ack()
    assert redis.keys("unacked*") == []


def test_what_is_planted_as_not_acknowledged_is_given_to_no_queue(redis, broker, tmp_path):
    app.send_task("a task that nobody knows", queue="risk", connection=broker)
    of_risk = json.loads(redis.rpop("risk"))
    bomb = pickle.dumps(Bomb(tmp_path / "ran"))
    planted = [bomb, b"7", b"[]", b"[1, 2, 3]", nested().encode()]
    planted += [json.dumps([message, "", queue]).encode() for message, queue in [
        (forged(), "risk"), (of_risk, "liquidations"), (of_risk, None), (of_risk | {"body": ""}, "risk"),
    ]]  # fmt: skip
    redis.hset("unacked", mapping={str(number): text for number, text in enumerate(planted)})
    redis.zadd("unacked_index", {str(number): 0 for number in range(len(planted))} | {b"\xff": 0})
    with capture_logs() as logged:
        restore(broker)
    assert redis.keys("unacked*") == []
    assert redis.exists(*QUEUES) == 0
    assert [line["event"] for line in logged] == ["broker_message_refused"] * len(planted)


@pytest.mark.parametrize("kind", ["set", "sadd"])
def test_whoever_sends_a_task_removes_what_lies_in_the_place_of_its_queue(redis, broker, kind):
    send = partial(app.send_task, "a task that nobody knows", queue="risk", connection=broker)
    send()
    redis.delete("risk")
    getattr(redis, kind)("risk", "planted")
    with capture_logs() as logged:
        send()
    assert redis.llen("risk") == 1
    assert [line["key"] for line in logged if line["event"] == "broker_key_deleted"] == ["risk"]


def test_what_is_planted_among_bindings_keeps_no_worker_from_answering(redis, broker, tmp_path):
    """Answers to `celery inspect` and to Flower go by the bindings of an exchange."""
    answers = Exchange("reply.celery.pidbox", type="direct")
    asker = Queue("asker.reply.celery.pidbox", answers, routing_key="asker")
    asker(broker.default_channel).declare()
    bomb = pickle.dumps(Bomb(tmp_path / "ran"))
    redis.sadd("_kombu.binding.reply.celery.pidbox", bomb, b"", b"7", b"\x06\x16".join([b"asker"] * 4))
    broker.Producer().publish({"ok": "pong"}, exchange=answers, routing_key="asker")
    assert redis.llen(asker.name) == 1


def test_an_error_of_redis_that_is_no_ones_plan_is_not_hidden(redis, broker):
    with pytest.raises(ResponseError, match="No permissions"):
        broker.default_channel.queue_declare("a queue that this user may not touch")


@pytest.mark.parametrize(
    "error", [ReadOnlyError("You can't write against a read only replica."), ResponseError("MISCONF")]
)
def test_a_worker_connects_again_when_redis_gives_it_nothing_more_to_do(broker, monkeypatch, error):
    """As a primary that has become a replica: to take that for an empty queue would be asking it without end."""
    monkeypatch.setattr(kombu_redis.Channel, "_brpop_read", Mock(side_effect=error))
    with pytest.raises(type(error)):
        broker.default_channel._brpop_read()


def test_what_is_published_without_a_seal_is_not_heard(redis, broker):
    heard = broker.default_channel.client.pubsub()
    heard.subscribe("/0.celery.pidbox")
    assert heard.get_message(timeout=5)["type"] == "subscribe"
    with capture_logs() as logged:
        redis.publish("/0.celery.pidbox", shutdown())
        assert heard.get_message(timeout=1) is None
    assert [line["event"] for line in logged] == ["broker_message_refused"]
    app.control.broadcast("ping", connection=broker)
    assert heard.get_message(timeout=5)["type"] == "message"
    heard.close()


def test_a_message_of_another_secret_key_is_dropped(redis, broker, settings):
    app.send_task("a task that nobody knows", queue="risk", connection=broker)
    settings.SECRET_KEY = "another"
    assert take(broker) == []
    assert redis.exists("risk", "unacked") == 0


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_every_address_of_a_broker_that_the_settings_take_leads_to_this_transport(scheme):
    channel = get_transport_cls(scheme).Channel
    assert (channel._put, channel._brpop_read) == (broker_module._Channel._put, broker_module._Channel._brpop_read)
