"""Work on payouts outside a request. Every task is safe to run twice: a batch that is further already is left as it is."""

from __future__ import annotations

import datetime

from celery import shared_task

from accounts.identity.core import Refusal
from royalties.payouts import services
from royalties.payouts.models import Batch
from royalties.payouts.services import progress

STALLED = datetime.timedelta(minutes=15)


@shared_task(name="royalties.payouts.tasks.go_on")
def go_on(batch_id: int) -> None:
    """Prepare a draft, or order an approved batch. What cannot be done is said on the batch's page."""
    batch = Batch.objects.get(pk=batch_id)
    try:
        if batch.status == Batch.Status.DRAFT:
            services.prepare(batch_id)
        elif batch.status == Batch.Status.APPROVED:
            services.order(batch_id)
    except Refusal as refusal:
        progress.failed(batch_id, refusal)


@shared_task(name="royalties.payouts.tasks.resume_stalled")
def resume_stalled() -> None:
    """What a killed worker left."""
    for batch_id in services.stalled(STALLED):
        progress.beat(batch_id)
        go_on.delay(batch_id)


@shared_task(name="royalties.payouts.tasks.apply_entries")
def apply_entries() -> None:
    """Find what bank statements say of payouts that were sent."""
    services.apply_all_entries()
