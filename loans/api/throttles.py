"""How many calls a client may make in a minute, whichever process answers them (decision 0037).

Calls are counted in Redis. If that does not answer, all calls are let through: a limit is no reason to turn a client
away, and what a call may do is decided elsewhere.
"""

import math
from threading import Lock
from time import monotonic, time
from typing import ClassVar, Final

import structlog
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

log = structlog.get_logger(__name__)

_MINUTE: Final = 60
#: A Redis that did not answer is not asked again for so long: each call would wait for its time-out.
_PAUSE_SECONDS: Final = 10


class ClientThrottle(BaseThrottle):
    """Counts the calls of a client, or of an address where calls need no credential, in each minute of the clock.

    Reads and writes have a limit each. For one call; `give_back` when that proves to be a repetition. A process takes a
    thousandth of the limit at a time from Redis, so that most calls ask nobody. What it has not used when the minute
    ends is lost: nobody gets more than the limit, and a client may get that much less for each process.
    """

    _paused_until: ClassVar[float] = 0
    _lock: ClassVar = Lock()
    #: How many calls this process may still let through, by key, and in which minute.
    _granted: ClassVar[dict[str, int]] = {}
    _minute: ClassVar[int] = 0

    def __init__(self) -> None:
        """Of a call that is not counted yet."""
        self._counted = ""

    def allow_request(self, request: Request, view: object) -> bool:
        """Count the call; whether it is within the limit."""
        reads, minute = request.method in SAFE_METHODS, int(time()) // _MINUTE
        limit = settings.API_READS_PER_MINUTE if reads else settings.API_WRITES_PER_MINUTE
        caller = f"client-{request.user.pk}" if request.user.pk else f"address-{request.META.get('REMOTE_ADDR')}"
        key = f"api.{'reads' if reads else 'writes'}.{minute}.{caller}"
        if not self._use(key, minute):
            taken = max(1, limit // 1000)
            count = self._add(key, taken)
            if count is None:
                return True
            granted = min(taken, limit - count + taken)
            if granted <= 0:
                return False
            self._grant(key, granted - 1)
        self._counted = key
        return True

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return math.ceil(_MINUTE - time() % _MINUTE)

    def give_back(self) -> None:
        """The call is not to count after all: another one of this process may be made in its place."""
        if self._counted:
            self._grant(self._counted, 1)

    @classmethod
    def _use(cls, key: str, minute: int) -> bool:
        """Whether this process has a call left, which is used then."""
        with cls._lock:
            if minute > cls._minute:
                cls._granted.clear()
                cls._minute = minute
            left = cls._granted.get(key, 0)
            if left:
                cls._granted[key] = left - 1
            return left > 0

    @classmethod
    def _grant(cls, key: str, calls: int) -> None:
        with cls._lock:
            cls._granted[key] = cls._granted.get(key, 0) + calls

    @classmethod
    def _add(cls, key: str, amount: int) -> int | None:
        """The count after this; None if Redis does not answer, or did not a moment ago."""
        if monotonic() < cls._paused_until:
            return None
        try:
            return cache.count(key, amount, 2 * _MINUTE)  # type: ignore[attr-defined, no-any-return]
        except (RedisError, OSError) as error:
            cls._paused_until = monotonic() + _PAUSE_SECONDS
            log.warning("api_calls_not_counted", error=str(error), pause_seconds=_PAUSE_SECONDS)
            return None
