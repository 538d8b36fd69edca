"""The only writer of evidence."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.evidence.models import Event
from accounts.identity.core import Actor, Reference


def record(
    *, actor: Actor, verb: str, object: Reference, organisation_id: int | None, data: dict[str, Any] | None = None
) -> Event:
    """Write one event in the caller's transaction, which must be open: evidence stands or falls with its change.

    `data` must be JSON; keep personal data and secrets out of it.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"Evidence of {verb} must be written in the transaction of the change it speaks of.")
    return Event.objects.create(
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:200],
        verb=verb,
        object_kind=object.kind,
        object_id=str(object.id),
        organisation_id=organisation_id,
        data=data or {},
    )
