"""Signs of life of workers and beats: when the loop of each last went round, kept in Redis for health and metrics.

A process is of one kind or several: `beat`, or the Celery queues that it takes tasks from. One that stops as it should
is forgotten; one that is killed or frozen is remembered as silent for a while. Without Redis nothing is known, which
`read` raises.

Signs have no seal: who can write to Redis can feign one that holds for some seconds, and take others away.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError, ResponseError

T = TypeVar("T")

log = structlog.get_logger(__name__)

BEAT = "beat"
#: Each process gives one so often …
EVERY_SECONDS = 5.0
#: … and is silent when it has given none for so long.
SILENT_AFTER_SECONDS = 15.0
#: What is silent for so long was taken away for good; and what is as far ahead was given by nobody.
FORGOTTEN_AFTER_SECONDS = 600.0
#: Clocks differ. A sign from further ahead is none.
MOST_AHEAD_SECONDS = 5.0
#: So many are looked at, the newest first: more than any service has processes.
MOST_SIGNS = 1000

_KEY = "signs-of-life"
# `kinds|name`. Redis is not trusted: what does not look like this is not believed.
_MEMBER = re.compile(r"[a-z,]{1,200}\|[^|]{1,200}")


@dataclass(frozen=True, slots=True)
class Signs:
    """Of a kind of process: how many are alive, how many silent, and the seconds since the last sign of any."""

    alive: int = 0
    silent: int = 0
    last_seconds: float | None = None


def kinds() -> tuple[str, ...]:
    """All kinds that a whole service has."""
    return (BEAT, *(queue.name for queue in settings.CELERY_TASK_QUEUES))


def give(of_kinds: Iterable[str], name: str) -> None:
    """Note that a process is alive now; `name` is the same when it is started again. Redis may be down."""
    now, member = time.time(), _member(of_kinds, name)

    def write() -> None:
        signs = _redis().pipeline(transaction=False)
        signs.zadd(_key(), {member: now})
        signs.zremrangebyscore(_key(), "-inf", now - FORGOTTEN_AFTER_SECONDS)
        signs.zremrangebyscore(_key(), now + FORGOTTEN_AFTER_SECONDS, "+inf")
        signs.execute()

    try:
        _without_what_is_no_set(write)
    except (RedisError, OSError) as error:
        log.warning("sign_of_life_not_kept", error=str(error))


def end(of_kinds: Iterable[str], name: str) -> None:
    """Forget a process that stops. Redis may be down."""
    try:
        _redis().zrem(_key(), _member(of_kinds, name))
    except (RedisError, OSError) as error:
        log.warning("sign_of_life_not_kept", error=str(error))


def read() -> dict[str, Signs]:
    """The signs of each kind. Raises RedisError or OSError without Redis."""
    now = time.time()
    since = {kind: list[float]() for kind in kinds()}
    for member, at in _without_what_is_no_set(lambda: _newest(now)):
        text = member.decode(errors="replace")
        if _MEMBER.fullmatch(text):
            for kind in set(text.partition("|")[0].split(",")) & set(since):
                since[kind].append(max(0.0, now - at))
    return {
        kind: Signs(
            alive=sum(seconds < SILENT_AFTER_SECONDS for seconds in found),
            silent=sum(seconds >= SILENT_AFTER_SECONDS for seconds in found),
            last_seconds=min(found, default=None),
        )
        for kind, found in since.items()
    }


def _newest(now: float) -> list[tuple[bytes, float]]:
    within: list[tuple[bytes, float]] = _redis().zrange(
        _key(), now + MOST_AHEAD_SECONDS, now - FORGOTTEN_AFTER_SECONDS,
        byscore=True, desc=True, offset=0, num=MOST_SIGNS, withscores=True,
    )  # fmt: skip
    return within


def _without_what_is_no_set(work: Callable[[], T]) -> T:
    """Do something with the signs. Whatever else somebody has put in their place is logged and removed."""
    try:
        return work()
    except ResponseError as error:
        if "WRONGTYPE" not in str(error):
            raise
        log.warning("cache_value_refused", key=_key())
        _redis().delete(_key())
        return work()


def _member(of_kinds: Iterable[str], name: str) -> str:
    return f"{','.join(sorted(of_kinds))}|{name.replace('|', ' ')[:200]}"


def _redis() -> Any:
    return cache.redis  # type: ignore[attr-defined]  # of SealedRedisCache


def _key() -> str:
    return cache.make_key(_KEY)
