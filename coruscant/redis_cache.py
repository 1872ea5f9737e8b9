"""Django's Redis cache for a Redis that is not trusted: whoever can write to it runs nothing here and forges nothing.

Django's own backend unpickles what it finds, so that a planted value runs as code. Here a value is JSON, sealed with a
key made from SECRET_KEY, for the name that it is kept under and until its time-out. What was not sealed for its name is
logged, removed, and a miss; so, without a word, is what is too old (docs/decisions/0031-redis-is-not-trusted.md).

It also keeps one client, where Django makes one for each call, which costs more than the call itself.
"""

import hmac
import json
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

import structlog
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from coruscant.seals import seal

log = structlog.get_logger(__name__)

_ABSENT: Final = object()
_SEAL_BYTES: Final = 32


class _AsItIs:
    """A serializer that leaves bytes alone; the client seals and opens them, since a seal is for a name."""

    def dumps(self, obj: Any) -> Any:
        return obj

    def loads(self, data: Any) -> Any:
        return data


class _Client(RedisCacheClient):
    """Seals what it writes, opens what it reads. Threads may share it; a call takes a connection of the pool."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, serializer=_AsItIs(), **options)

    @cached_property
    def _kept(self) -> Any:
        return super().get_client(write=True)

    def get_client(self, key: object = None, *, write: bool = False) -> Any:
        return self._kept

    def add(self, key: Any, value: Any, timeout: Any) -> bool:
        """As the parent. What lies there and would be a miss counts as nothing: a list, for instance, is never read."""
        sealed = _sealed(key, value, timeout)
        if super().add(key, sealed, timeout):
            return True
        if self.get_many([key]):
            return False
        super().set(key, sealed, timeout)
        return True

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        super().set(key, _sealed(key, value, timeout), timeout)

    def set_many(self, data: Mapping[Any, Any], timeout: Any) -> None:
        super().set_many({key: _sealed(key, value, timeout) for key, value in data.items()}, timeout)

    def get(self, key: Any, default: Any) -> Any:
        return self.get_many([key]).get(key, default)

    def get_many(self, keys: Iterable[Any]) -> dict[Any, Any]:
        found: dict[Any, Any] = super().get_many(list(keys))
        opened = {key: self._opened(key, value) for key, value in found.items()}
        return {key: value for key, value in opened.items() if value is not _ABSENT}

    def touch(self, key: Any, timeout: Any) -> bool:
        raise NotImplementedError("The time-out of a value is sealed with it.")

    def incr(self, key: Any, delta: int) -> int:
        raise NotImplementedError("Redis cannot count in a value that is sealed.")

    def _opened(self, key: str, found: bytes) -> object:
        sealed, text = found[:_SEAL_BYTES], found[_SEAL_BYTES:]
        if not hmac.compare_digest(sealed, seal(__name__, key, text)):
            log.warning("cache_value_refused", key=key)
            self.delete(key)  # or each look would log it again
            return _ABSENT
        until, value = json.loads(text)
        return value if until is None or time.time() < until else _ABSENT


class SealedRedisCache(RedisCache):
    """The cache of one server: a LOCATION that lists replicas is not supported. Values are what JSON can write."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        """As the backend that it replaces."""
        super().__init__(server, params)
        self._class = _Client

    @property
    def redis(self) -> Any:
        """The client of Redis itself, for what is no value of a cache. Nothing that it reads has a seal."""
        return self._cache.get_client(write=True)

    def count(self, key: str, amount: int, timeout: int) -> int:
        """Add to a number, and keep it for `timeout` seconds from then on, in one step; what it is then.

        The number is not sealed: whoever can write to Redis can change it.
        """
        name = self.make_and_validate_key(key)
        both = self.redis.pipeline(transaction=True)
        both.incrby(name, amount)
        both.expire(name, timeout)
        counted, _kept = both.execute()
        return int(counted)


def _sealed(key: str, value: object, timeout: int | None) -> bytes:
    """JSON of the time (Unix, s) until which the value holds, and of the value, behind their seal."""
    text = json.dumps([timeout if timeout is None else time.time() + timeout, value]).encode()
    return seal(__name__, key, text) + text
