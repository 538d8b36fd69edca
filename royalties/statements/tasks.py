"""Publishing outside a request."""

from __future__ import annotations

import datetime

import structlog
from celery import shared_task
from django.utils import timezone

from accounts.identity.core import SYSTEM, Refusal
from royalties.distribution.models import Run
from royalties.distribution.services.progress import note_problems, publications_stalled
from royalties.statements import services
from royalties.statements.services import archives

STALE = datetime.timedelta(minutes=3)
log = structlog.get_logger(__name__)


@shared_task
def publish_run(run_id: int) -> None:
    """Publish a posted run. Whoever asked for it stands in the evidence."""
    try:
        services.publish(actor=SYSTEM, run=Run.objects.get(pk=run_id))
    except Refusal as refusal:
        note_problems(run_id, refusal)
        log.warning("run.publish_refused", run=run_id, code=refusal.code)


@shared_task
def resume_stalled() -> None:
    """Pick up publications whose worker was killed."""
    for run_id in publications_stalled(older_than=timezone.now() - STALE):
        publish_run.delay(run_id)


@shared_task
def write_archive_part(part_id: int) -> None:
    """Write one ZIP file of an archive."""
    try:
        archives.write_part(part_id)
    except Refusal as refusal:
        log.warning("archive.part_refused", part=part_id, code=refusal.code)


@shared_task
def resume_archives() -> None:
    """Pick up parts that nobody is at."""
    for part_id in archives.waiting_parts():
        write_archive_part.delay(part_id)
