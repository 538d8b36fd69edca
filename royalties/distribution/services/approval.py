"""Four eyes on a run: one person asks, another approves exactly the result that was computed."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference
from royalties.distribution.models import Run
from royalties.distribution.services.guards import own_run
from royalties.distribution.services.runs import KIND, POSTED
from royalties.distribution.services.taking import require_meant

REVERSAL = "run_reversal"


@transaction.atomic
def request(*, actor: Actor, run: Run) -> Approval:
    """Ask a second person to approve the run as it was computed."""
    run = own_run(actor, run.pk, "distribution.compute")
    if run.status != Run.Status.COMPUTED:
        raise Conflict("run_is_not_computed", _("Only a computed run can be put up for approval."))
    return request_approval(
        actor=actor,
        kind=KIND,
        object=Reference(KIND, run.pk),
        organisation_id=run.society_id,
        subject_sha256=run.result_digest,
    )


@transaction.atomic
def approve(*, actor: Actor, run: Run, approve: bool = True, reason: str = "") -> Run:
    """Decide on the pending approval, which is bound to the result's digest. Of two decisions at once exactly one counts.

    Raises Conflict where the run would pay what leaves suspense to a work that its identifier no longer means.
    """
    run = own_run(actor, run.pk, "distribution.approve")
    if approve:
        require_meant(run)
    decide(actor=actor, approval=_pending(KIND, run), approve=approve, reason=reason, subject_sha256=run.result_digest)
    if not approve:
        record(
            actor=actor,
            verb="run.refused",
            object=Reference(KIND, run.pk),
            organisation_id=run.society_id,
            data={"reason": reason},
        )
        return run
    moved = Run.objects.filter(pk=run.pk, status=Run.Status.COMPUTED, result_digest=run.result_digest).update(
        status=Run.Status.APPROVED
    )
    if moved != 1:
        raise Conflict("run_is_not_computed", _("The run changed while you approved it. Look at it again."))
    data = {"result_digest": run.result_digest, "reason": reason}
    record(actor=actor, verb="run.approved", object=Reference(KIND, run.pk), organisation_id=run.society_id, data=data)
    run.refresh_from_db()
    return run


@transaction.atomic
def request_reversal(*, actor: Actor, run: Run) -> Approval:
    """Ask a second person to take back a posted run as a whole."""
    run = own_run(actor, run.pk, "distribution.compute")
    if run.status not in POSTED:
        raise Conflict("run_is_not_posted", _("Only a posted run can be reversed."))
    return request_approval(
        actor=actor,
        kind=REVERSAL,
        object=Reference(KIND, run.pk),
        organisation_id=run.society_id,
        subject_sha256=run.result_digest,
    )


def decide_reversal(*, actor: Actor, run: Run, approve: bool, reason: str) -> None:
    """The second person's decision on the reversal; the caller reverses in the same transaction."""
    decide(
        actor=actor, approval=_pending(REVERSAL, run), approve=approve, reason=reason, subject_sha256=run.result_digest
    )


def pending(run: Run, kind: str = KIND) -> Approval | None:
    """The approval that waits for a decision on this run, if one was asked for."""
    return Approval.objects.pending().about(KIND, run.pk).filter(kind=kind).select_related("requester").first()


def _pending(kind: str, run: Run) -> Approval:
    found = pending(run, kind)
    if found is None:
        raise Conflict(
            "approval_not_requested",
            _("No approval of this run is waiting: it was decided already, or nobody has asked."),
        )
    return found
