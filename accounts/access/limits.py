"""How often somebody may do a thing that costs others: counted in the shared cache, so over all processes."""

from __future__ import annotations

import math
import time

import structlog
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import ngettext
from redis.exceptions import RedisError
from rest_framework.throttling import BaseThrottle

from accounts.identity.core import Refusal

log = structlog.get_logger(__name__)


class TooOften(Refusal):
    """More than is allowed in this time; says in how many minutes it is allowed again."""

    status = 429


def caller(request: HttpRequest) -> str:
    """The address that a request comes from, behind as many proxies as the settings trust."""
    return str(BaseThrottle().get_ident(request))  # type: ignore[arg-type]


def limit(what: str, who: str, *, most: int, seconds: int) -> None:
    """Count one more of `what` by `who`; raise TooOften beyond `most` in a fixed window of this many seconds.

    A cache that does not answer lets it pass: availability before accounting.
    """
    now = time.time()
    key = f"limit:{what}:{seconds}:{int(now // seconds)}:{who}"
    try:
        cache.add(key, 0, seconds * 2)
        count = int(cache.incr(key))
    except ValueError:  # evicted between the two
        return
    except RedisError as error:
        log.warning("limit.unavailable", error=str(error))
        return
    if count > most:
        minutes = max(1, math.ceil((seconds - now % seconds) / 60))
        said = ngettext(
            "This was asked too often from here. Try again in %(minutes)s minute.",
            "This was asked too often from here. Try again in %(minutes)s minutes.",
            minutes,
        )
        raise TooOften("too_often", said % {"minutes": minutes})
