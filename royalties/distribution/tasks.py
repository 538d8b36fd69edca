"""Work on runs outside a request. Every task is safe to run twice: the services compare the run's state first."""

from __future__ import annotations

import datetime

import structlog
from celery import shared_task
from django.utils import timezone

from accounts.identity.core import Refusal
from royalties.distribution import services
from royalties.distribution.services import preview
from royalties.distribution.services.progress import note_problems, stalled

STALE = datetime.timedelta(minutes=3)
log = structlog.get_logger(__name__)


@shared_task
def compute_run(run_id: int) -> None:
    """Compute a draft. A refusal is kept on the run, where people read it."""
    try:
        services.compute(run_id)
    except Refusal as refusal:
        log.warning("run.compute_refused", run=run_id, code=refusal.code)


@shared_task
def post_run(run_id: int) -> None:
    """Post an approved run."""
    try:
        services.post(run_id)
    except Refusal as refusal:
        note_problems(run_id, refusal)
        log.warning("run.post_refused", run=run_id, code=refusal.code)


@shared_task
def resume_stalled() -> None:
    """Pick up runs whose worker was killed, and those whose message was lost."""
    for run_id, step in stalled(older_than=timezone.now() - STALE):
        (post_run if step == "post" else compute_run).delay(run_id)
    for preview_id in preview.waiting_previews(older_than=timezone.now() - STALE):
        compute_preview.delay(preview_id)


@shared_task
def compute_preview(preview_id: int) -> None:
    """Compare two versions of a rule."""
    preview.compute_preview(preview_id)
