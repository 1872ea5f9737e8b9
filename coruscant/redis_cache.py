"""Django's Redis cache, but for its habit of making a client for each call, which costs more than the call itself."""

from functools import cached_property
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class _OneClient(RedisCacheClient):
    """Threads may share the client of a server; it takes a connection of the pool for each call."""

    @cached_property
    def _kept(self) -> Any:
        return super().get_client(write=True)

    def get_client(self, key: object = None, *, write: bool = False) -> Any:
        return self._kept


class OneClientRedisCache(RedisCache):
    """The cache of one server: a LOCATION that lists replicas is not supported."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        """As the backend that it replaces."""
        super().__init__(server, params)
        self._class = _OneClient
