"""How many requests a caller may make a minute: counted in the shared cache, so over all processes."""

from __future__ import annotations

import time
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.throttling import BaseThrottle

from accounts.identity.core import NOBODY, Actor

WINDOW = 60
log = structlog.get_logger(__name__)


class CallerThrottle(BaseThrottle):
    """A fixed window a caller: `API_RATE` requests a minute for a token or person, `API_RATE_ANONYMOUS` for an address.

    A view may set `rate` for itself, and `rate_scope` to be counted apart from the others. A cache
    that does not answer lets requests pass: availability before accounting.
    """

    def __init__(self) -> None:
        self.left = 0.0

    def allow_request(self, request: Any, view: Any) -> bool:
        actor: Actor = getattr(request, "actor", NOBODY)
        known = actor.kind != "anonymous"
        rate = getattr(view, "rate", None) or (settings.API_RATE if known else settings.API_RATE_ANONYMOUS)
        caller = f"{actor.kind}:{actor.id}" if known else self.get_ident(request)
        now = time.time()
        self.left = WINDOW - now % WINDOW
        scope = getattr(view, "rate_scope", "")
        return self._count(f"rate:{scope}{caller}:{int(now // WINDOW)}") <= rate

    def _count(self, key: str) -> int:
        try:
            cache.add(key, 0, WINDOW * 2)
            return int(cache.incr(key))
        except ValueError:  # evicted between the two
            return 1
        except RedisError as exc:
            log.warning("api.throttle_unavailable", error=str(exc))
            return 0

    def wait(self) -> float:
        return max(1.0, self.left)
