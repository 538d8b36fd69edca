"""How long a society waits before it uses approved payment details: laid down by two of its people."""

from __future__ import annotations

import datetime
import hashlib

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from royalties.payees.models import COOLING_OFF_DAYS, PayeeTerms
from royalties.payees.services.guards import MANAGE, enter

KIND = "payee_terms"
MOST_DAYS = 60


def cooling_off(society_id: int) -> datetime.timedelta:
    """How long this society waits: as two of its people laid down, else three days."""
    last = PayeeTerms.objects.filter(society_id=society_id, status=PayeeTerms.Status.APPROVED).order_by("-id").first()
    return datetime.timedelta(days=last.cooling_off_days if last else COOLING_OFF_DAYS)


@transaction.atomic
def request_terms(*, actor: Actor, society: Organisation, cooling_off_days: int) -> PayeeTerms:
    """Ask for another waiting time; what waits already keeps the one that it was approved under."""
    enter(actor, society)
    if actor.user_id is None:
        raise Forbidden(_("Only a person can ask for this."), code="person_needed")
    if not 0 <= cooling_off_days <= MOST_DAYS:
        raise Refusal("invalid_days", _("Give 0 to %(most)s days.") % {"most": MOST_DAYS}, pointer="/cooling_off_days")
    made = PayeeTerms.objects.create(society=society, cooling_off_days=cooling_off_days, requested_by_id=actor.user_id)
    about = Reference(KIND, made.pk)
    data = {"days": cooling_off_days}
    record(actor=actor, verb="payee_terms.requested", object=about, organisation_id=society.pk, data=data)
    request_approval(actor=actor, kind=KIND, object=about, organisation_id=society.pk, subject_sha256=_subject(made))
    return made


@transaction.atomic
def decide_terms(*, actor: Actor, terms: PayeeTerms, approve: bool, reason: str = "") -> PayeeTerms:
    held = PayeeTerms.objects.visible_to(actor).filter(pk=terms.pk).first()
    if held is None:
        raise NotFound(_("There is no such waiting time."))
    actor.require(MANAGE)
    approval = Approval.objects.pending().about(KIND, held.pk).filter(kind=KIND).first()
    if approval is None:
        raise Conflict("approval_not_requested", _("Nobody has asked for this approval, or it is decided. Look again."))
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=_subject(held))
    held.status = PayeeTerms.Status.APPROVED if approve else PayeeTerms.Status.REFUSED
    held.decided_at = timezone.now()
    held.save(update_fields=["status", "decided_at"])
    record(
        actor=actor, verb=f"payee_terms.{held.status}", object=Reference(KIND, held.pk), organisation_id=held.society_id,
        data={"days": held.cooling_off_days, "reason": reason},
    )  # fmt: skip
    return held


def _subject(terms: PayeeTerms) -> str:
    return hashlib.sha256(f"payee_terms {terms.pk} {terms.cooling_off_days}".encode()).hexdigest()
