"""How an event reaches a program: signature, and when to try again. Pure."""

from __future__ import annotations

import datetime
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

MINUTE, HOUR = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
# How long after each failed attempt the next one follows; after the last of them the delivery is given up.
WAITS: Final = (MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 24 * HOUR)
ATTEMPTS: Final = len(WAITS) + 1
LEASE: Final = 2 * MINUTE  # after which a sender that says nothing is taken for dead
# When a webhook is switched off: so many deliveries given up, or so long without a success.
MOST_GIVEN_UP: Final = 3
LONGEST_FAILING: Final = datetime.timedelta(days=5)


def next_attempt(attempts: int, now: datetime.datetime) -> datetime.datetime | None:
    """When to try again after this many attempts; None once the schedule is used up.

    >>> next_attempt(1, datetime.datetime(2026, 1, 1)), next_attempt(ATTEMPTS, datetime.datetime(2026, 1, 1))
    (datetime.datetime(2026, 1, 1, 0, 1), None)
    """
    return now + WAITS[attempts - 1] if attempts <= len(WAITS) else None


def is_lost(failing_since: datetime.datetime, given_up: int, now: datetime.datetime) -> bool:
    """Whether a webhook has failed for so long that it is switched off."""
    return given_up >= MOST_GIVEN_UP or now - failing_since >= LONGEST_FAILING


def signature(body: bytes, secrets: Sequence[str], moment: int) -> str:
    """The header `Jeongsan-Signature`: the time of sending, and HMAC-SHA256 over "time.body" by each valid secret."""
    signed = str(moment).encode() + b"." + body
    parts = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={moment}", *(f"v1={part}" for part in parts)])
