"""What is asked of a worker, and what was left lying: the run itself says so, in `step` and `heartbeat_at`."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from royalties.distribution.models import Run
from royalties.distribution.services.guards import own_run
from royalties.distribution.services.runs import KIND

POST, PUBLISH = "post", "publish"
_FROM = {POST: Run.Status.APPROVED, PUBLISH: Run.Status.POSTED}


@transaction.atomic
def ask(*, actor: Actor, run: Run, step: str) -> Run:
    """Note on the run that it is to be posted or published; a worker does it, now or when one is there again."""
    run = own_run(actor, run.pk, "distribution.approve")
    ready = Run.objects.filter(pk=run.pk, status=_FROM[step])
    if ready.update(step=step, heartbeat_at=timezone.now(), problems=[]) != 1:
        raise Conflict("run_moved_on", _("The run is at another step now. Look at it again."))
    record(actor=actor, verb=f"run.{step}_asked", object=Reference(KIND, run.pk), organisation_id=run.society_id)
    run.refresh_from_db()
    return run


def note_problems(run_id: int, refusal: Refusal) -> None:
    """Keep on the run why a step was refused; it waits for a person then."""
    Run.objects.filter(pk=run_id).exclude(step="").update(step="", problems=list(refusal.errors))


def stalled(*, older_than: datetime.datetime) -> list[tuple[int, str]]:
    """(run, step) of runs that should be moving and have not been heard of since; `step` is empty for drafts."""
    quiet = Q(heartbeat_at__lt=older_than) | Q(heartbeat_at=None, created_at__lt=older_than)
    drafts = Run.objects.filter(quiet, status=Run.Status.DRAFT, problems=[])
    asked = Run.objects.filter(quiet, status=Run.Status.APPROVED, step=POST)
    return [
        *((run, "") for run in drafts.values_list("id", flat=True)),
        *((run, POST) for run in asked.values_list("id", flat=True)),
    ]


def publications_stalled(*, older_than: datetime.datetime) -> list[int]:
    """Runs whose publication was asked for and did not happen."""
    asked = Run.objects.filter(status=Run.Status.POSTED, step=PUBLISH, heartbeat_at__lt=older_than)
    return list(asked.values_list("id", flat=True))
