"""What a worker leaves on a batch: a sign of life, or why it could not go on."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.identity.core import Refusal
from royalties.payouts.models import Batch

MOVING = (Batch.Status.DRAFT, Batch.Status.APPROVED)


def beat(batch_id: int) -> None:
    """Say that somebody is at work on it."""
    Batch.objects.filter(pk=batch_id, status__in=MOVING).update(heartbeat_at=timezone.now())


@transaction.atomic
def failed(batch_id: int, refusal: Refusal) -> None:
    """Keep why a batch could not go on. An approved one goes back to prepared: it is looked at again, or discarded."""
    problem = {"code": refusal.code, "detail": str(refusal.detail)}
    Batch.objects.filter(pk=batch_id, status=Batch.Status.APPROVED).update(status=Batch.Status.PREPARED)
    Batch.objects.filter(pk=batch_id).update(problems=[problem], heartbeat_at=None)
