"""Django's Redis cache on the same server as the broker; an embedded one starts at the first use."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends import redis

from config import embedded


class EmbeddedClient(redis.RedisCacheClient):
    """As Django's own, but every use first makes sure that the server runs (microseconds when it does)."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options)
        self.url = servers[0]

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        embedded.ensure_redis(self.url)
        return super().get_client(key, write=write)


class RedisCache(redis.RedisCache):
    """The cache backend of the settings."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = EmbeddedClient
