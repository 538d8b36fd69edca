"""One approval for a whole import: whoever approves sees the counts and the rejects, and every row of it is approved."""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference
from licensing.repertoire.models import Representation
from royalties.payees.models import PayeeDetails, PayeeImport, TaxPaper
from royalties.payees.services.guards import MANAGE
from royalties.payees.services.importing import KIND
from royalties.payees.services.terms import cooling_off


@transaction.atomic
def ask_import_approval(*, actor: Actor, made: PayeeImport) -> Approval:
    """Ask a second person to approve what an import said."""
    held = own_import(actor, made.pk)
    actor.require(MANAGE)
    if not waits(held):
        raise Conflict("nothing_waits", _("Nothing of this import waits for approval."))
    about = Reference(KIND, held.pk)
    return request_approval(
        actor=actor, kind=KIND, object=about, organisation_id=held.society_id, subject_sha256=_subject(held)
    )


@transaction.atomic
def decide_import(*, actor: Actor, made: PayeeImport, approve: bool, reason: str = "") -> int:
    """Approve or refuse everything of an import that still waits; returns how many versions that were."""
    held = own_import(actor, made.pk)
    actor.require(MANAGE)
    approval = Approval.objects.pending().about(KIND, held.pk).filter(kind=KIND).first()
    if approval is None:
        raise Conflict("approval_not_requested", _("Nobody has asked for this approval, or it is decided. Look again."))
    if _is_paid_by(actor, held):
        raise Forbidden(
            _("You are paid by these details yourself. Somebody else has to decide."), code="second_person_needed"
        )
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=_subject(held))
    now = timezone.now()
    change = {"decided_by_id": actor.user_id, "decided_at": now}
    waiting = PayeeDetails.objects.filter(made_by=held, status=PayeeDetails.Status.REQUESTED)
    if approve:
        decided = waiting.update(status="approved", usable_from=now + cooling_off(held.society_id), **change)
    else:
        decided = waiting.update(status="refused", closed_at=now, reason=reason[:500], **change)
    papers = TaxPaper.objects.filter(made_by=held, status=TaxPaper.Status.REQUESTED)
    papers.update(status="approved" if approve else "refused", **change)
    record(
        actor=actor, verb="payees.approved" if approve else "payees.refused", object=Reference(KIND, held.pk),
        organisation_id=held.society_id, data={"payees": decided, "reason": reason},
    )  # fmt: skip
    return decided


def own_import(actor: Actor, import_id: int) -> PayeeImport:
    found = PayeeImport.objects.visible_to(actor).select_related("society").filter(pk=import_id).first()
    if found is None:
        raise NotFound(_("There is no such import."))
    return found


def waits(made: PayeeImport) -> bool:
    """Whether something of this import is undecided."""
    details = PayeeDetails.objects.filter(made_by=made, status=PayeeDetails.Status.REQUESTED)
    return details.exists() or TaxPaper.objects.filter(made_by=made, status=TaxPaper.Status.REQUESTED).exists()


def _subject(made: PayeeImport) -> str:
    return hashlib.sha256(f"payee_import {made.pk} {made.sha256} {made.created} {made.updated}".encode()).hexdigest()


def _is_paid_by(actor: Actor, made: PayeeImport) -> bool:
    """Whether this person acts for one of the payees of an import: in a list of thousands their own row is one too."""
    mine = Representation.objects.filter(user_id=actor.user_id or 0).values("holder_id")
    details = PayeeDetails.objects.filter(made_by=made, payee__holder_id__in=mine)
    return details.exists() or TaxPaper.objects.filter(made_by=made, payee__holder_id__in=mine).exists()
