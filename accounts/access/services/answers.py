"""Answers once given to an idempotency key."""

from __future__ import annotations

import datetime

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access.models import RememberedAnswer
from accounts.identity.core import Actor, Conflict

KEPT_FOR = datetime.timedelta(days=7)


def caller_of(actor: Actor) -> str:
    """Whose keys these are: a person's in one capacity do not meet those in another."""
    return f"{actor.kind}:{actor.id}" + (
        f"@{actor.organisation_id}" if actor.kind == "user" and actor.organisation_id else ""
    )


def recall(*, caller: str, key: str) -> RememberedAnswer | None:
    """The answer this key once got, or None; then the key is the running transaction's until it ends.

    Raises Conflict while another transaction works under the same key.
    """
    known = RememberedAnswer.objects.filter(caller=caller, key=key)
    if answer := known.first():
        return answer
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"{caller} {key}"])
        (ours,) = cursor.fetchone() or (False,)
    if not ours:
        raise Conflict(
            "request_in_progress",
            _("A request with this Idempotency-Key is still running. Ask again in a moment, with the same key."),
        )
    return known.first()  # it may have ended between the look and the lock


def remember(*, caller: str, key: str, request_sha256: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """Keep an answer with the change that it speaks of; the caller's transaction holds both."""
    RememberedAnswer.objects.create(
        caller=caller, key=key, request_sha256=request_sha256, status=status, headers=headers, body=body
    )


def forget(*, before: datetime.datetime | None = None) -> int:
    """Drop answers older than a week: no client repeats a request after that. Returns how many went."""
    old = RememberedAnswer.objects.filter(created_at__lt=before or timezone.now() - KEPT_FOR)
    return old.delete()[0]
