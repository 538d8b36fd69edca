"""Four eyes: one person asks, another decides, and of two decisions at once one counts."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference


@transaction.atomic
def request_approval(
    *, actor: Actor, kind: str, object: Reference, organisation_id: int, subject_sha256: str
) -> Approval:
    """Ask for a decision on exactly what `subject_sha256` digests.

    Asking again for the same subject gives the pending approval. Asking for a changed subject replaces the pending
    one's: whoever looked at the old subject can no longer decide it, and the new asker is the one who may not decide.
    """
    person = _person(actor)
    asked = {"organisation_id": organisation_id, "subject_sha256": subject_sha256, "requester_id": person}
    approval, new = Approval.objects.get_or_create(
        kind=kind, object_kind=object.kind, object_id=str(object.id), status=Approval.Status.PENDING, defaults=asked
    )
    if not new:
        if approval.subject_sha256 == subject_sha256:
            return approval
        changed = Approval.objects.pending().filter(pk=approval.pk, subject_sha256=approval.subject_sha256)
        if changed.update(subject_sha256=subject_sha256, requester_id=person, requested_at=timezone.now()) != 1:
            raise Conflict("approval_changed", _("The approval changed while you asked for it. Look again."))
        approval.refresh_from_db()
    data = {"kind": kind, "approval": approval.pk, "subject_sha256": subject_sha256}
    record(actor=actor, verb="approval.requested", object=object, organisation_id=organisation_id, data=data)
    return approval


@transaction.atomic
def decide(
    *, actor: Actor, approval: Approval, approve: bool, reason: str = "", subject_sha256: str | None = None
) -> Approval:
    """Approve or refuse. Needs `approvals.decide` in that organisation, and another person than the requester.

    `subject_sha256` is the digest of the object as it is now; where it differs from what was asked for, the decision
    would be about something else and is a Conflict. The update compares what was read with what is stored, so of two
    decisions at once exactly one is made.
    """
    person = _person(actor)
    if not actor.is_system and actor.organisation_id != approval.organisation_id:
        raise NotFound(_("There is no such approval."))
    actor.require("approvals.decide")
    if person == approval.requester_id:
        raise Forbidden(
            _("A second person has to decide: you asked for this yourself. This holds for administrators too."),
            code="second_person_needed",
        )
    if subject_sha256 is not None and subject_sha256 != approval.subject_sha256:
        raise Conflict(
            "approval_is_stale", _("What you are asked to approve has changed since. Ask for a new approval.")
        )
    status = Approval.Status.APPROVED if approve else Approval.Status.REFUSED
    still_as_read = Approval.objects.pending().filter(
        pk=approval.pk, subject_sha256=approval.subject_sha256, requester_id=approval.requester_id
    )
    decided = {"status": status, "decider_id": person, "decided_at": timezone.now(), "reason": reason}
    if still_as_read.update(**decided) != 1:
        raise Conflict("approval_already_decided", _("Somebody decided this meanwhile, or it changed. Look again."))
    approval.refresh_from_db()
    data = {"kind": approval.kind, "approval": approval.pk, "subject_sha256": approval.subject_sha256, "reason": reason}
    about = Reference(approval.object_kind, approval.object_id)
    record(
        actor=actor, verb=f"approval.{status.value}", object=about, organisation_id=approval.organisation_id, data=data
    )
    return approval


def approved(object: Reference, kind: str, *, subject_sha256: str | None = None) -> Approval | None:
    """The last approval of this kind that was granted, if any; with a digest, only one of exactly that subject."""
    granted = Approval.objects.about(object.kind, object.id).filter(kind=kind, status=Approval.Status.APPROVED)
    if subject_sha256 is not None:
        granted = granted.filter(subject_sha256=subject_sha256)
    return granted.order_by("-decided_at", "-id").first()


def _person(actor: Actor) -> int:
    if actor.kind != "user" or actor.user_id is None:
        raise Forbidden(_("Only a person can ask for or decide an approval, not a program."), code="person_needed")
    return actor.user_id
