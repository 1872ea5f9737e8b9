"""Queues and topics that are missing, as whoever wanted to use them has noticed: for health and metrics.

The notes are in the cache, so that every process knows of them. One that nobody repeats ends by itself; without a cache
there are none.
"""

import time

from django.core.cache import cache
from redis.exceptions import RedisError

_KEY = "missing-queues-and-topics"
#: Longer than whoever needs a queue or topic waits before the next attempt.
_NOTED_SECONDS = 30


class SomethingMissing(LookupError):
    """Queues or topics are missing, so that prices or events are held up."""


def note(name: str) -> None:
    """Note that a queue or topic is missing."""
    _write(_read() | {name: time.time()})


def forget(name: str) -> None:
    """Note that it is there again."""
    noted = _read()
    if noted.pop(name, None) is not None:
        _write(noted)


def names() -> list[str]:
    """What is missing."""
    return sorted(name for name, noted_at in _read().items() if time.time() - noted_at < _NOTED_SECONDS)


def require_none() -> None:
    """Raise SomethingMissing if a queue or topic is missing."""
    if found := names():
        raise SomethingMissing(", ".join(found))


def _read() -> dict[str, float]:
    try:
        return dict(cache.get(_KEY) or {})
    except (RedisError, OSError):
        return {}


def _write(noted: dict[str, float]) -> None:
    try:
        cache.set(_KEY, noted, _NOTED_SECONDS)
    except (RedisError, OSError):
        return
