"""How many calls a client may make in a minute, whichever process answers them (decision 0037).

Calls are counted in Redis. If that does not answer, all calls are let through: a limit is no reason to turn a client
away, and what a call may do is decided elsewhere.
"""

import math
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

    Reads and writes have a limit each. For one call; `give_back` when that proves to be a repetition.
    """

    _paused_until: ClassVar[float] = 0

    def __init__(self) -> None:
        """Of a call that is not counted yet."""
        self._counted = ""

    def allow_request(self, request: Request, view: object) -> bool:
        """Count the call; whether it is within the limit."""
        reads = request.method in SAFE_METHODS
        caller = f"client-{request.user.pk}" if request.user.pk else f"address-{request.META.get('REMOTE_ADDR')}"
        key = f"api.{'reads' if reads else 'writes'}.{int(time()) // _MINUTE}.{caller}"
        count = self._add(key, 1)
        if count is None:
            return True
        self._counted = key
        return count <= (settings.API_READS_PER_MINUTE if reads else settings.API_WRITES_PER_MINUTE)

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return math.ceil(_MINUTE - time() % _MINUTE)

    def give_back(self) -> None:
        """The call is not to count after all."""
        if self._counted:
            self._add(self._counted, -1)

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
