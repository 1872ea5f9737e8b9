"""Celery's transport to a Redis that is not trusted: whoever can write to it gives no task and ends no worker.

kombu's own transport reads whatever it finds in a queue. What it cannot read ends the worker, and so does a key of
another type; and whoever can publish can have all workers shut down. Here each message carries a seal made from
SECRET_KEY, for its queue or channel, as the first field of its JSON. What has none is logged and dropped before it is
read as anything. What lies under a queue's key, or one of kombu's, and is of the wrong type, is deleted
(docs/decisions/0031-redis-is-not-trusted.md).

Without this transport, messages with a seal are read as any other.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from functools import partial
from queue import Empty
from typing import Any, Final

import structlog
from kombu.transport import redis as kombu_redis
from kombu.utils.json import dumps
from redis import Redis
from redis.client import PubSub
from redis.exceptions import ResponseError

from coruscant.seals import seal

log = structlog.get_logger(__name__)

_SEALED: Final = re.compile(rb'\{"seal": "([0-9a-f]{64})", (.*)', re.DOTALL)
_NAME_CHARACTERS: Final = 100
#: A routing key, a pattern and a queue.
_BINDING_PARTS: Final = 3


def _with_seal(name: str, message: dict[str, Any]) -> dict[str, Any]:
    """A message as it is sent to a queue or channel; `dumps` writes the fields of both in the same order."""
    return {"seal": seal(__name__, name, dumps(message).encode()).hex(), **message}


def _is_ours(name: str, text: bytes) -> bool:
    """Whether a text was sealed for this queue or channel. If not, it is logged, without a word of it."""
    found = _SEALED.fullmatch(text)
    if found and hmac.compare_digest(found[1].decode(), seal(__name__, name, b"{" + found[2]).hex()):
        return True
    digest = hashlib.sha256(text).hexdigest()
    log.warning("broker_message_refused", name=name[:_NAME_CHARACTERS], bytes=len(text), sha256=digest)
    return False


class _PubSub(PubSub):
    """Hears only what was sealed for the channel it comes by."""

    def parse_response(self, *args: Any, **options: Any) -> Any:
        """As the parent, and None for what is refused."""
        found = super().parse_response(*args, **options)  # type: ignore[no-untyped-call]
        if found and found[0] in (b"message", b"pmessage") and not _is_ours(_name(found[-2]), found[-1]):
            return None
        return found


class _Client(Redis):
    """Takes from queues only what was sealed for them."""

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        """As the parent, and for BRPOP None, as if the queues were empty, for what is refused."""
        found = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name == "BRPOP" and found and not _is_ours(_name(found[0]), found[1]):
            return None
        return found

    def pubsub(self, **options: Any) -> PubSub:
        """As the parent."""
        return _PubSub(self.connection_pool, **options)


class _QoS(kombu_redis.QoS):
    """Keeps messages until they are acknowledged, and gives them back as they were, with their seals."""

    channel: Any
    _remove_from_indices: Any  # the stubs know little of the transport

    def append(self, message: Any, delivery_tag: str) -> None:
        """As the parent."""
        self._mended(partial(super().append, message, delivery_tag))

    def ack(self, delivery_tag: str) -> None:
        """As the parent."""
        self._mended(partial(super().ack, delivery_tag))

    def _mended(self, work: Callable[[], None]) -> None:
        try:
            work()
        except ResponseError as error:
            _require_wrong_type(error)
            self.channel.keep_unacked()
            work()

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Give a message back, or drop it if its seal is not for the queue it says. Others may do so at once."""

        def restore(pipe: Any) -> None:
            kept = pipe.hget(self.unacked_key, tag)
            pipe.multi()
            self._remove_from_indices(tag, pipe)
            if kept and (given_back := _given_back(kept)):
                (pipe.lpush if leftmost else pipe.rpush)(*given_back)

        with self.channel.conn_or_acquire(client) as connected:
            connected.transaction(restore, self.unacked_key)


def _given_back(kept: bytes) -> tuple[str, str] | None:
    """The queue and the text of what kombu keeps of a message until it is acknowledged: `[message, "", queue]`."""
    try:
        message, _exchange, queue = json.loads(kept)
        text = dumps(message)
        return (queue, text) if _is_ours(queue, text.encode()) else None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        log.warning("broker_message_refused", name="unacked", bytes=len(kept), error=type(error).__name__)
        return None


class _Channel(kombu_redis.Channel):
    """Seals what it sends. Messages have no priorities: a queue is one key."""

    QoS = _QoS
    # The stubs know little of the transport.
    _get_publish_topic: Any
    keyprefix_binding_permanent: str
    keyprefix_binding_deadlines: str

    def __init__(self, *args: Any, **options: Any) -> None:
        """As the parent."""
        super().__init__(*args, **options)
        self.keep_unacked()

    def keep_unacked(self) -> None:
        """Delete what lies where messages are kept until they are acknowledged, and is of another type."""
        self._keep_only(b"hash", self.unacked_key)
        self._keep_only(b"zset", self.unacked_index_key)

    def _get_client(self) -> type[_Client]:
        return _Client

    def _put(self, queue: str, message: dict[str, Any], **options: Any) -> None:
        put = partial(super()._put, queue, _with_seal(queue, message), **options)
        try:
            put()
        except ResponseError as error:
            _require_wrong_type(error)
            self._keep_only(b"list", queue)
            put()

    def _put_fanout(self, exchange: str, message: dict[str, Any], routing_key: str, **options: Any) -> None:
        channel = self._get_publish_topic(exchange, routing_key)
        super()._put_fanout(exchange, _with_seal(channel, message), routing_key, **options)  # type: ignore[misc]

    def _size(self, queue: str) -> int:
        self._keep_only(b"list", queue)  # asked whenever a queue is declared
        return super()._size(queue)

    def _queue_bind(self, exchange: str, *binding: Any) -> None:
        self._keep_bindings(exchange)
        super()._queue_bind(exchange, *binding)  # type: ignore[misc]

    def get_table(self, exchange: str) -> list[tuple[str, str, str]]:
        """The bindings of an exchange, without what is none: one of those would keep all workers from answering."""
        found: list[Any] = super().get_table(exchange)
        return [binding for binding in found if len(binding) == _BINDING_PARTS]

    def _refresh_bindings(self, queues: list[str]) -> None:
        for queue in queues:
            for exchange, *_binding in self.state.queue_bindings(queue):
                self._keep_bindings(exchange)
        super()._refresh_bindings(queues)  # type: ignore[misc]

    def _keep_bindings(self, exchange: str) -> None:
        self._keep_only(b"set", self.keyprefix_queue % exchange, self.keyprefix_binding_permanent % exchange)
        self._keep_only(b"zset", self.keyprefix_binding_deadlines)

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]
        except ResponseError as error:
            _require_wrong_type(error)
            self._keep_only(b"list", *self.active_queues)
            raise Empty from error

    def _keep_only(self, kind: bytes, *keys: str) -> None:
        """Delete keys that are of another type."""
        with self.conn_or_acquire() as client:
            for key in keys:
                found = client.type(key)
                if found not in (kind, b"none"):
                    client.delete(key)
                    log.warning("broker_key_deleted", key=key, type=found.decode())


class Transport(kombu_redis.Transport):
    """For redis:// and rediss://."""

    Channel = _Channel


def _name(key: bytes) -> str:
    return key.decode(errors="replace")


def _require_wrong_type(error: ResponseError) -> None:
    """Raise any other error of Redis again, such as that of a replica: the worker then connects anew."""
    if "WRONGTYPE" not in str(error):
        raise error
